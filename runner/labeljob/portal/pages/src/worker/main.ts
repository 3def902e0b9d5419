/** The worker's pages: the list of jobs, the progress page, and the work page. */

import { startThemeSwitch } from "../shared/theme";
import { listJobsWithKeptAnswers } from "./outbox";
import { WorkPage, type Boot } from "./work_page";

function startWorkPage(): void {
  const boot = document.querySelector("#boot");
  if (boot) void new WorkPage(JSON.parse(boot.textContent ?? "") as Boot).start();
}

/** Say where answers are that this browser could not send. */
function showKeptAnswers(): void {
  const notice = document.querySelector<HTMLElement>("#kept-answers");
  const jobs = listJobsWithKeptAnswers(notice?.dataset["worker"] ?? "");
  if (!notice || jobs.length === 0) return;
  notice.hidden = false;
  notice.textContent = "Answers are kept in this browser that the portal has not got yet. They are sent when you open: ";
  for (const job of jobs) {
    const link = document.createElement("a");
    link.href = `/jobs/${encodeURIComponent(job)}`;
    link.textContent = job;
    notice.append(link, " ");
  }
}

startThemeSwitch();
startWorkPage();
showKeptAnswers();
