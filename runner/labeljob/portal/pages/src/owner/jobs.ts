/** All jobs of the portal, live. */
import { html, nothing, render, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { drawRing } from "./charts";
import { readBoot } from "./http";
import { followEvents } from "./live";
import { formatCount, formatNumber, STATES } from "./words";

interface Job {
  name: string;
  title: string;
  task: string;
  state: string;
  total: number;
  done: number;
  atWork: number;
  thumbnail: string | null;
}

export function startJobs(): void {
  const place = document.querySelector<HTMLElement>("#jobs");
  if (!place) return;
  const draw = (jobs: Job[]): void => {
    render(drawJobs(jobs), place);
  };
  draw(readBoot<Job[]>());
  followEvents<Job[]>("/owner/api/events", draw, () => undefined);
}

function drawJobs(jobs: readonly Job[]): TemplateResult {
  if (!jobs.length) {
    return html`<div class="card"><p>There is no job yet. Make one of a folder of photographs:</p>
      <pre tabindex="0">labeljob portal photos/ --task image-multi-class --labels cat dog</pre></div>`;
  }
  return html`<ul class="job-cards">
    ${repeat(
      jobs,
      (job) => job.name,
      (job) => html`<li class="card">
        <a class="cover" href="/owner/jobs/${encodeURIComponent(job.name)}" aria-labelledby="job-${job.name}">
          ${job.thumbnail ? html`<img src=${job.thumbnail} alt="" decoding="async">` : nothing}
        </a>
        <div class="job">
          <div>
            <h2><a id="job-${job.name}" href="/owner/jobs/${encodeURIComponent(job.name)}">${job.name}</a></h2>
            <p class="hint">${job.title}</p>
            <p><span class="state ${job.state}">${STATES[job.state] ?? job.state}</span></p>
            <p class="hint">${formatNumber(job.done)} of ${formatNumber(job.total)} done${
              job.atWork ? ` · ${formatCount(job.atWork, "worker")} at work` : ""
            }</p>
          </div>
          ${drawRing(job.total ? job.done / job.total : 0, `${job.done} of ${job.total} data objects are done`)}
        </div>
      </li>`,
    )}
  </ul>`;
}
