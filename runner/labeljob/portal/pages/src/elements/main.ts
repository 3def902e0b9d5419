/** The `crowd-*` elements of Ground Truth's worker templates, for pages in the portal's frame. */
import "./button";
import "./comment";
import "./classifier";
import "./form";
import "./instructions";
import "./slider";
import "./surfaces";
import "./switches";
import "./text_fields";
import { startPage } from "./page";
import { defineRegions } from "./regions";
import "../segmentation/editor";

defineRegions();
startPage();
