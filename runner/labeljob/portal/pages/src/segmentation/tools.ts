/** The tools of the segmentation editor, in the order of the tool bar. */
import type { Tool, ToolHost } from "./tool";
import { makeBrushes } from "./tools/brush";
import { ExtremePoints } from "./tools/extreme_points";
import { Fill } from "./tools/fill";
import { Polygon } from "./tools/polygon";
import { Rectangle } from "./tools/rectangle";
import { Superpixels } from "./tools/superpixels";

export function makeTools(host: ToolHost): Tool[] {
  return [
    ...makeBrushes(host),
    new Polygon(host),
    new Rectangle(host),
    new Fill(host),
    new Superpixels(host),
    new ExtremePoints(host),
  ];
}
