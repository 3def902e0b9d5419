/** The owner's page of one job: how it stands, live, and what to do about it. */
import { html, nothing, render, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type ClassCount, drawBar, drawClasses, drawColumns, drawConfidences, drawRing } from "./charts";
import { fetchObjects, showPicture } from "./gallery";
import { confirmInDialog } from "./dialog";
import { announce, describeError, getJson, postJson, readBoot } from "./http";
import { followEvents } from "./live";
import { formatCount, formatNumber, formatPercent, formatSeconds, initials, STATES, useColors } from "./words";

interface WorkerStatus {
  id: string;
  name: string;
  answers: number;
  cannotLabel: number;
  skipped: number;
  atWork: boolean;
  medianSeconds: number | null;
  agreement: number | null;
}

export interface Status {
  job: string;
  state: "running" | "paused" | "finished";
  total: number;
  labeled: number;
  unlabeled: number;
  answered: number;
  excluded: number;
  answers: number;
  missing: number;
  perMinute: number[];
  secondsLeft: number | null;
  atWork: number;
  classes: ClassCount[];
  problem: string;
  canRequeue: boolean;
  confidences: number[];
  workers: WorkerStatus[];
}

interface Boot {
  job: string;
  status: Status;
  /** The color of each class in masks; none where the job has no masks. */
  colors: string[];
}

const RECENT = 5;

export function startStatus(): void {
  const boot = readBoot<Boot>();
  const address = `/owner/api/jobs/${encodeURIComponent(boot.job)}`;
  useColors(boot.colors);
  const page = new StatusPage(boot, address);
  page.show();
  followEvents<Status>(
    `/owner/api/events?job=${encodeURIComponent(boot.job)}`,
    (status) => page.update(status),
    (connected) => page.showConnection(connected),
  );
}

class StatusPage {
  private status: Status;
  private below = 0.8;
  private unsure: number | null = null;
  private questions = 0;
  private shownLabels = -1;

  constructor(
    private readonly boot: Boot,
    private readonly address: string,
  ) {
    this.status = boot.status;
    document.querySelector("#requeue")?.addEventListener("input", () => void this.countUnsure());
    document.querySelector("#requeue form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.requeue();
    });
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-round]")) {
      button.addEventListener("click", () => void this.begin(button.dataset["round"] ?? ""));
    }
    document.querySelector("#members form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.saveMembers(event.target as HTMLFormElement);
    });
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
      button.hidden = !navigator.clipboard;
      button.addEventListener("click", () => {
        void navigator.clipboard.writeText(button.dataset["copy"] ?? "").then(() => {
          announce("The command is in the clipboard.");
        });
      });
    }
  }

  update(status: Status): void {
    this.status = status;
    this.show();
  }

  showConnection(connected: boolean): void {
    const place = document.querySelector<HTMLElement>("#connection");
    if (!place) return;
    place.textContent = connected ? "live" : "not connected, trying again";
    place.className = connected ? "live" : "lost";
  }

  show(): void {
    this.draw("#state", this.drawState());
    this.draw("#progress", this.drawProgress());
    this.draw("#pace", this.drawPace());
    this.draw("#classes", drawClasses(this.status.classes, (name) => this.galleryLink({ class: name })));
    this.draw("#workers", this.drawWorkers());
    const problem = document.querySelector<HTMLElement>("#problem");
    if (problem) {
      problem.hidden = !this.status.problem;
      problem.textContent = `Labels cannot be made now: ${this.status.problem}`;
    }
    this.allowRequeue();
    const labels = this.status.labeled + this.status.unlabeled;
    if (labels !== this.shownLabels) {
      this.shownLabels = labels;
      void this.countUnsure();
      void this.showDisputed();
    }
  }

  private draw(selector: string, content: TemplateResult | typeof nothing): void {
    const place = document.querySelector<HTMLElement>(selector);
    if (place) render(content, place);
  }

  private galleryLink(filter: Record<string, string>): string {
    const query = new URLSearchParams(filter);
    return `/owner/jobs/${encodeURIComponent(this.boot.job)}/gallery?${query.toString()}`;
  }

  private drawState(): TemplateResult {
    const { state } = this.status;
    return html`<span class="state ${state}">${STATES[state] ?? state}</span>
      ${state === "running"
        ? html`<button type="button" @click=${() => void this.act("pause", "The job is paused: nobody gets a new task.")}>Pause</button>`
        : nothing}
      ${state === "paused"
        ? html`<button type="button" class="primary" @click=${() => void this.act("resume", "The job goes on.")}>Resume</button>`
        : nothing}
      ${state === "finished"
        ? nothing
        : html`<button type="button" class="danger" @click=${() => void this.finish()}>Finish now …</button>`}`;
  }

  private drawProgress(): TemplateResult {
    const { labeled, unlabeled, total, answered, excluded } = this.status;
    const done = labeled + unlabeled;
    return html`${drawRing(total ? done / total : 0, `${done} of ${total} data objects are done`)}
      <div>
        <p class="headline"><strong>${formatNumber(labeled)}</strong> of ${formatNumber(total)} labeled</p>
        <ul class="plain">
          ${answered ? html`<li>${formatNumber(answered)} more with all answers, being consolidated</li>` : nothing}
          ${unlabeled ? html`<li><a href=${this.galleryLink({ status: "no-usable-answer" })}>${formatNumber(unlabeled)} without a label</a></li>` : nothing}
          ${excluded ? html`<li>${formatNumber(excluded)} need no person</li>` : nothing}
        </ul>
      </div>`;
  }

  private drawPace(): TemplateResult {
    const { perMinute, secondsLeft, atWork, answers, missing, state } = this.status;
    const recent = perMinute.slice(-RECENT).reduce((sum, count) => sum + count, 0) / RECENT;
    const left =
      missing === 0 ? "none" : secondsLeft === null ? "unknown" : `≈ ${formatSeconds(secondsLeft)}`;
    const label = `Answers in each of the last ${perMinute.length} minutes, ${Math.max(...perMinute)} at most`;
    return html`<dl class="figures">
        <div><dt>time left${state === "paused" ? " (paused)" : ""}</dt><dd>${left}</dd></div>
        <div><dt>at work now</dt><dd>${formatNumber(atWork)}</dd></div>
        <div><dt>answers</dt><dd>${formatNumber(answers)}</dd></div>
        <div><dt>answers a minute</dt><dd>${recent.toFixed(recent < 10 ? 1 : 0)}</dd></div>
      </dl>
      <div class="with-axis">
        ${drawColumns(perMinute, label)}
        <div class="axis" aria-hidden="true"><span>an hour ago</span><span>now</span></div>
      </div>`;
  }

  private drawWorkers(): TemplateResult {
    const { workers } = this.status;
    if (!workers.length) return html`<p class="hint">Nobody has taken a task yet.</p>`;
    const most = Math.max(1, ...workers.map((worker) => worker.answers));
    return html`<ul class="workers">
      ${repeat(
        workers,
        (worker) => worker.id,
        (worker) => html`<li class="card">
          <div class="who">
            <span class="avatar" aria-hidden="true">${initials(worker.name)}</span>
            <a href=${this.galleryLink({ worker: worker.id })}>${worker.name}</a>
            ${worker.atWork ? html`<span class="at-work">at work</span>` : nothing}
          </div>
          <div class="measure"><span>${formatCount(worker.answers, "answer")}</span>${drawBar(worker.answers / most, "neutral")}</div>
          <div class="measure">
            ${worker.agreement === null
              ? this.boot.colors.length
                ? nothing
                : html`<span class="hint">no label to agree with yet</span>`
              : html`<span>agrees with the label in ${formatPercent(worker.agreement)}</span>${drawBar(worker.agreement, "agreement")}`}
          </div>
          <p class="hint">
            ${worker.medianSeconds === null ? "" : `${formatSeconds(worker.medianSeconds)} for one (median)`}${worker.skipped ? ` · skipped ${worker.skipped}` : ""}${worker.cannotLabel ? ` · cannot be labeled: ${worker.cannotLabel}` : ""}
          </p>
        </li>`,
      )}
    </ul>`;
  }

  private async showDisputed(): Promise<void> {
    const place = document.querySelector<HTMLElement>("#disputed");
    if (!place) return;
    try {
      const page = await fetchObjects(this.boot.job, new URLSearchParams({ limit: "12", only: "labeled" }));
      const classes = this.status.classes.map((item) => item.name);
      render(
        page.objects.length
          ? html`<ul class="pictures">${page.objects.map(
              (object) => html`<li><a href=${this.galleryLink({})}>${showPicture(object, classes)}</a></li>`,
            )}</ul>`
          : html`<p class="hint">Nothing is labeled yet. Pictures appear here with the first labels.</p>`,
        place,
      );
    } catch (error) {
      render(html`<p class="hint">${describeError(error)}</p>`, place);
    }
  }

  private async act(action: string, told: string, body: unknown = {}): Promise<void> {
    try {
      this.update(await postJson<Status>(`${this.address}/${action}`, body));
      announce(told);
    } catch (error) {
      announce(describeError(error), "bad");
    }
  }

  private async finish(): Promise<void> {
    const { missing, total, labeled, unlabeled } = this.status;
    const open = total - labeled - unlabeled;
    const confirmed = await confirmInDialog(
      "Finish this job now?",
      open
        ? `${formatCount(open, "data object")} ${open === 1 ? "is" : "are"} not done, and ${formatCount(missing, "answer")} ${missing === 1 ? "is" : "are"} still wanted. ` +
            "They get a label from the answers they have, or none. Nobody can answer after that."
        : "The output manifest is written. Nobody can answer after that.",
      "Finish now",
    );
    if (confirmed) await this.act("finish", "The job is being finished with the answers it has.");
  }

  private async countUnsure(): Promise<void> {
    const slider = document.querySelector<HTMLInputElement>("#requeue input");
    if (!slider) return;
    this.below = Number(slider.value);
    this.draw("#confidences", drawConfidences(this.status.confidences, this.below));
    const question = ++this.questions;
    try {
      const query = new URLSearchParams({ below: slider.value });
      const answer = await getJson<{ objects: number }>(`${this.address}/unsure?${query.toString()}`);
      if (question !== this.questions) return; // the slider has moved on
      this.unsure = answer.objects;
    } catch (error) {
      this.unsure = null;
      announce(describeError(error), "bad");
    }
    const told = document.querySelector<HTMLElement>("#requeue output");
    if (told) {
      told.textContent =
        this.unsure === null
          ? ""
          : `${formatCount(this.unsure, "data object")} ${this.unsure === 1 ? "has" : "have"} less confidence than ${this.below.toFixed(2)}, or no label`;
    }
    this.allowRequeue();
  }

  private allowRequeue(): void {
    const button = document.querySelector<HTMLButtonElement>("#requeue button");
    const hint = document.querySelector<HTMLElement>("#requeue-hint");
    if (button) button.disabled = !this.unsure || !this.status.canRequeue;
    if (hint) hint.hidden = this.status.canRequeue;
    for (const round of document.querySelectorAll<HTMLButtonElement>("[data-round]")) {
      round.disabled = !this.status.canRequeue;
    }
  }

  private requeue(): Promise<void> {
    return this.begin("requeue", { below: this.below });
  }

  /** Begin a job that follows from this one, and show it. */
  private async begin(action: string, settings: Record<string, unknown> = {}): Promise<void> {
    try {
      const made = await postJson<{ job: string; objects: number }>(`${this.address}/${action}`, settings);
      window.location.assign(`/owner/jobs/${encodeURIComponent(made.job)}`);
    } catch (error) {
      announce(describeError(error), "bad");
    }
  }

  private async saveMembers(form: HTMLFormElement): Promise<void> {
    const members = new FormData(form).getAll("member").map(String);
    try {
      await postJson(`${this.address}/members`, { members });
      announce(members.length ? `${formatCount(members.length, "person").replace("persons", "people")} may work on this job.` : "Everybody in the team may work on this job.");
    } catch (error) {
      announce(describeError(error), "bad");
    }
  }
}
