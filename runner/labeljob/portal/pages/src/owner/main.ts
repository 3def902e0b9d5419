/** The owner's pages. Each says in `data-page` of its body which it is. */
import { startGallery } from "./gallery";
import { startJobs } from "./jobs";
import { startPreview } from "./preview";
import { startStatus } from "./status";
import { startTeam } from "./team";
import { startThemeSwitch } from "../shared/theme";
import "./owner.css";

const starts: Record<string, () => void> = {
  jobs: startJobs,
  status: startStatus,
  gallery: startGallery,
  preview: startPreview,
  team: startTeam,
};

startThemeSwitch();
const page = document.querySelector<HTMLElement>("[data-page]")?.dataset["page"] ?? "";
starts[page]?.();
