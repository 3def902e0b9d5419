/** The gallery: pictures with their label, confidence and votes, the disputed ones first. */
import { html, nothing, render, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { drawBar } from "./charts";
import { describeError, getJson, readBoot } from "./http";
import { formatCount, formatPercent, formatSeconds, formatTime, hueOf, STATUSES, useColors } from "./words";

interface Answer {
  worker: string;
  classes: string[];
  text: string;
  rejected: { reason: string; detail: string } | null;
  comment: string;
  seconds: number | null;
  submitted: number;
  /** Address of what was painted, where the job has masks. */
  mask: string | null;
}

export interface LabeledObject {
  id: string;
  name: string;
  text: string | null;
  state: string;
  status: string;
  confidence: number | null;
  label: string[];
  wanted: number;
  thumbnail: string;
  picture: string;
  /** Address of the label's mask. */
  mask: string | null;
  answers: Answer[];
}

export interface ObjectPage {
  objects: LabeledObject[];
  next: string | null;
  count: number | null;
}

interface Boot {
  job: string;
  classes: string[];
  /** The color of each class in masks; none where the job has no masks. */
  colors: string[];
  reasons: Record<string, string>;
}

export function fetchObjects(job: string, query: URLSearchParams, signal?: AbortSignal): Promise<ObjectPage> {
  return getJson<ObjectPage>(`/owner/api/jobs/${encodeURIComponent(job)}/objects?${query.toString()}`, signal);
}

function describeLabel(object: LabeledObject): string {
  if (object.label.length) return object.label.join(", ");
  if (object.state === "consolidated") return "no label";
  const missing = object.wanted - object.answers.length;
  return missing > 0 ? `open, ${missing} more wanted` : "being consolidated";
}

function describeVote(answer: Answer): string {
  if (!answer.rejected) return answer.classes.join(", ") || "nothing";
  return answer.rejected.reason === "cannot-be-labeled" ? "cannot be labeled" : `not used (${answer.rejected.reason})`;
}

/** The detail of an answer that does not count, without the comment that is shown beside it. */
function explainRejection({ rejected, comment }: Answer, reasons: Record<string, string>): string {
  if (!rejected) return "";
  const reason = comment ? rejected.detail.replace(`: ${comment}`, "") : rejected.detail;
  return reasons[reason] ?? reason;
}

/** Who said what: a dot for each answer, in the color of its class. */
function drawVotes(object: LabeledObject, classes: readonly string[]): TemplateResult {
  return html`<ul class="votes">
    ${object.answers.map(
      (answer) => html`<li title="${answer.worker}: ${describeVote(answer)}">
        <span class="dots" aria-hidden="true">${
          answer.rejected
            ? html`<i class="dot crossed"></i>`
            : answer.classes.slice(0, 4).map((name) => html`<i class="dot ${hueOf(name, classes)}"></i>`)
        }</span>
        <span class="voter">${answer.worker}</span>
        <span class="vote">${describeVote(answer)}</span>
        ${answer.comment ? html`<span class="comment-mark" title=${answer.comment} role="img" aria-label="with a comment">“ ”</span>` : nothing}
      </li>`,
    )}
  </ul>`;
}

/** A data object that has a picture, its label and the confidence. */
export function showPicture(object: LabeledObject, classes: readonly string[]): TemplateResult {
  return html`<figure>
    ${object.text === null
      ? html`<span class="frame"><img src=${object.thumbnail} alt="" loading="lazy" decoding="async" @error=${markBroken}>${
          object.mask ? html`<img class="mask" src=${object.mask} alt="" loading="lazy" decoding="async" @error=${removeMask}>` : nothing
        }</span>`
      : html`<span class="frame text">${object.text}</span>`}
    <figcaption>
      <span class="label">${object.label.map((name) => html`<i class="dot ${hueOf(name, classes)}" aria-hidden="true"></i>`)}${describeLabel(object)}</span>
      ${object.confidence === null
        ? nothing
        : html`<span class="confidence">${drawBar(object.confidence, object.status === "consensus" ? "agreement" : "unsure")}<span>${formatPercent(object.confidence)}</span></span>`}
      <span class="name">${object.name}</span>
    </figcaption>
  </figure>`;
}

function markBroken(event: Event): void {
  const image = event.target as HTMLImageElement;
  const told = document.createElement("span");
  told.className = "hint";
  told.textContent = "This image cannot be shown.";
  image.replaceWith(told);
}

/** A mask that cannot be drawn is left out: the photograph says more without it. */
function removeMask(event: Event): void {
  (event.target as HTMLImageElement).remove();
}

export function startGallery(): void {
  const boot = readBoot<Boot>();
  new Gallery(boot, document.querySelector<HTMLFormElement>("#filters")!, document.querySelector<HTMLElement>("#objects")!);
}

class Gallery {
  private objects: LabeledObject[] = [];
  private next: string | null = null;
  private count: number | null = null;
  private loading: AbortController | null = null;
  private readonly dialog = document.createElement("dialog");
  private opened = -1;
  /** Whose mask lies over the enlarged picture: that of an answer, by its number, or the label's. */
  private masked: number | "label" | "nobody" = "label";
  private opacity = 0.55;

  constructor(
    private readonly boot: Boot,
    private readonly filters: HTMLFormElement,
    private readonly place: HTMLElement,
  ) {
    this.readAddress();
    filters.addEventListener("input", () => this.restart());
    filters.addEventListener("submit", (event) => event.preventDefault());
    filters.addEventListener("reset", () => setTimeout(() => this.restart()));
    useColors(boot.colors);
    this.dialog.className = "enlarged";
    this.dialog.setAttribute("aria-label", "Data object");
    this.dialog.addEventListener("keydown", (event) => this.onKey(event));
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    this.dialog.addEventListener("close", () => this.focusOpened());
    document.body.append(this.dialog);
    new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting) && this.next !== null) void this.load();
    }, { rootMargin: "600px" }).observe(document.querySelector("#more")!);
    this.restart();
  }

  /** The filters that the address names. */
  private readAddress(): void {
    for (const [name, value] of new URLSearchParams(window.location.search)) {
      const field = this.filters.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
    }
  }

  private query(): URLSearchParams {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(this.filters)) {
      if (typeof value === "string" && value !== "") query.set(name, value);
    }
    if (query.get("below") === "1") query.delete("below");
    return query;
  }

  private restart(): void {
    const query = this.query();
    window.history.replaceState(null, "", query.size ? `?${query.toString()}` : window.location.pathname);
    const limit = this.filters.querySelector<HTMLOutputElement>("output");
    const below = query.get("below");
    if (limit) limit.value = below === null ? "any" : `below ${formatPercent(Number(below))}`;
    this.loading?.abort();
    this.loading = null;
    this.objects = [];
    this.next = "";
    this.count = null;
    void this.load();
  }

  private async load(): Promise<void> {
    if (this.loading || this.next === null) return;
    const loading = (this.loading = new AbortController());
    const query = this.query();
    if (this.next) query.set("after", this.next);
    try {
      const page = await fetchObjects(this.boot.job, query, loading.signal);
      const known = new Set(this.objects.map((object) => object.id));
      this.objects.push(...page.objects.filter((object) => !known.has(object.id)));
      this.next = page.next;
      this.count = page.count ?? this.count;
      this.draw();
    } catch (error) {
      if (loading.signal.aborted) return;
      this.next = null;
      this.draw(describeError(error));
    } finally {
      if (this.loading === loading) this.loading = null;
    }
  }

  private draw(problem = ""): void {
    render(
      html`<p role="status" class=${problem ? "notice bad" : "hint"}>${
          problem || (this.count === null ? "" : this.count ? formatCount(this.count, "data object") : "No data object is like that.")
        }</p>
        <ul class="pictures">
          ${repeat(
            this.objects,
            (object) => object.id,
            (object, index) => html`<li class="picture">
              <button type="button" data-object=${object.id} @click=${() => this.open(index)}
                aria-label="${object.name}: ${describeLabel(object)}. Enlarge">${showPicture(object, this.boot.classes)}</button>
              ${drawVotes(object, this.boot.classes)}
            </li>`,
          )}
        </ul>`,
      this.place,
    );
    const more = document.querySelector<HTMLElement>("#more");
    if (more) {
      render(
        this.next ? html`<button type="button" @click=${() => void this.load()}>Show more</button>` : nothing,
        more,
      );
    }
  }

  private open(index: number): void {
    const object = this.objects[index];
    if (!object) return;
    if (index !== this.opened) this.masked = object.mask ? "label" : 0;
    this.opened = index;
    render(this.drawEnlarged(object, index), this.dialog);
    if (!this.dialog.open) this.dialog.showModal();
    if (index >= this.objects.length - 5) void this.load();
  }

  private drawEnlarged(object: LabeledObject, index: number): TemplateResult {
    return html`<div class="enlarged-top">
        <h2>${object.name}</h2>
        <div class="buttons">
          <button type="button" ?disabled=${index === 0} @click=${() => this.open(index - 1)} aria-keyshortcuts="ArrowLeft">← Previous</button>
          <button type="button" ?disabled=${index >= this.objects.length - 1} @click=${() => this.open(index + 1)} aria-keyshortcuts="ArrowRight">Next →</button>
          <button type="button" @click=${() => this.dialog.close()} autofocus>Close</button>
        </div>
      </div>
      <div class="enlarged-body">
        ${object.text === null
          ? html`<div>
              <div class="large">${keyedImage(object)}${this.drawMask(object)}</div>
              ${this.boot.colors.length ? this.drawMaskTools(object) : nothing}
            </div>`
          : html`<p class="large text">${object.text}</p>`}
        <div class="details">
          <p class="headline">${object.label.map((name) => html`<i class="dot ${hueOf(name, this.boot.classes)}" aria-hidden="true"></i>`)}<strong>${describeLabel(object)}</strong></p>
          ${object.confidence === null ? nothing : html`<p class="confidence">${drawBar(object.confidence, object.status === "consensus" ? "agreement" : "unsure")}<span>${formatPercent(object.confidence)}${object.status ? ` · ${STATUSES[object.status] ?? object.status}` : ""}</span></p>`}
          <h3>${formatCount(object.answers.length, "answer")}</h3>
          <ol class="answers">
            ${object.answers.map(
              (answer) => html`<li>
                <p><span class="dots" aria-hidden="true">${answer.rejected ? html`<i class="dot crossed"></i>` : answer.classes.slice(0, 4).map((name) => html`<i class="dot ${hueOf(name, this.boot.classes)}"></i>`)}</span>
                  <strong>${answer.rejected ? describeVote(answer) : answer.text}</strong> <span class="hint">${answer.worker}</span></p>
                ${answer.rejected ? html`<p class="hint">${explainRejection(answer, this.boot.reasons)}</p>` : nothing}
                ${answer.comment ? html`<blockquote>${answer.comment}</blockquote>` : nothing}
                <p class="hint">${formatTime(answer.submitted)}${answer.seconds === null ? "" : `, in ${formatSeconds(answer.seconds)}`}</p>
              </li>`,
            )}
          </ol>
          <p class="hint">Data object ${object.id}</p>
        </div>
      </div>`;
  }

  /** Address of the mask that is shown, and the classes in it. */
  private findMask(object: LabeledObject): { src: string | null; classes: string[] } {
    if (this.masked === "label") return { src: object.mask, classes: object.label };
    const answer = this.masked === "nobody" ? undefined : object.answers[this.masked];
    return { src: answer?.rejected ? null : (answer?.mask ?? null), classes: answer?.classes ?? [] };
  }

  private drawMask(object: LabeledObject): unknown {
    const { src } = this.findMask(object);
    return repeat(
      src ? [src] : [],
      (address) => address,
      (address) => html`<img class="mask" .style=${`opacity: ${this.opacity}`} src="${address}&size=large" alt="" @error=${removeMask}>`,
    );
  }

  /** Whose mask is shown, how strongly, and what its colors mean. */
  private drawMaskTools(object: LabeledObject): TemplateResult {
    const choose = (masked: Gallery["masked"]) => (): void => {
      this.masked = masked;
      this.open(this.opened);
    };
    const button = (masked: Gallery["masked"], text: string): TemplateResult =>
      html`<button type="button" aria-pressed=${this.masked === masked ? "true" : "false"} @click=${choose(masked)}>${text}</button>`;
    const { classes } = this.findMask(object);
    return html`<div class="mask-tools">
        <div class="buttons" role="group" aria-label="Whose mask is shown">
          ${object.mask ? button("label", "Label") : nothing}
          ${object.answers.map((answer, at) => (answer.rejected ? nothing : button(at, answer.worker)))}
          ${button("nobody", "Photograph")}
        </div>
        <label>Opacity <input type="range" min="0" max="1" step="0.05" .value=${String(this.opacity)} @input=${(event: Event) => {
          this.opacity = Number((event.target as HTMLInputElement).value);
          this.open(this.opened);
        }} @keydown=${(event: KeyboardEvent) => event.stopPropagation()}></label>
      </div>
      <ul class="legend" aria-label="Colors">
        ${this.boot.classes.map((name, at) =>
          classes.includes(name) ? html`<li><i class="dot" .style=${`--hue: ${this.boot.colors[at] ?? ""}`} aria-hidden="true"></i>${name}</li>` : nothing,
        )}
      </ul>`;
  }

  private onKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.open(this.opened + step);
  }

  private focusOpened(): void {
    const object = this.objects[this.opened];
    const buttons = this.place.querySelectorAll<HTMLButtonElement>("button[data-object]");
    for (const button of buttons) {
      if (button.dataset["object"] === object?.id) button.focus();
    }
  }
}

/** The large picture; a new element for each object, so that an old picture is never shown. */
function keyedImage(object: LabeledObject): TemplateResult {
  return html`${repeat(
    [object],
    (one) => one.id,
    (one) => html`<img src=${one.picture} alt="The data object ${one.name}" @error=${markBroken}>`,
  )}`;
}
