/** `crowd-semantic-segmentation`: one class for each pixel of an image. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { post } from "../elements/delivery";
import { readJson, readNames } from "../elements/lists";
import { panelStyle } from "../elements/regions";
import { shared } from "../elements/styles";
import { TaskElement, renderFilter, taskStyle } from "../elements/task_element";
import type { Answer, Json, Key } from "../shared/messages";
import { comesBack } from "../shared/reach";
import { assignColors, readColors } from "./colors";
import { listStyle, renderLabels, renderLooks, renderOnlyBackground } from "./label_list";
import { BACKGROUND, Painting } from "./painting";
import { Photo } from "./photo";
import { decodePng, encodeMask, encodeMaskNow, fromBase64, toBase64, toClasses, type Color } from "./png";
import "./surface";
import type { Surface } from "./surface";
import { barStyle, renderTools, renderToolSettings, renderZoom, ZOOM_STEP } from "./tool_bar";
import { Workbench } from "./workbench";

const MOST_LABELS = 255;
const ENCODE_AGAIN_AFTER = 500; // milliseconds, if the worker has painted meanwhile
const KEEP_AFTER = 400; // milliseconds
const NO_IMAGE = 415; // the status with which the portal answers
const MOST_NAMED = 3; // colors
const LONG_LIST = 10; // labels, above which they can be filtered

/** A mask that the editor did not make: its file and the color of each of its labels. */
interface EarlierMask {
  bytes: Uint8Array;
  colors: ReadonlyMap<string, Color>;
}

@customElement("crowd-semantic-segmentation")
export class CrowdSemanticSegmentation extends TaskElement {
  static override styles = [
    shared,
    panelStyle,
    taskStyle,
    barStyle,
    listStyle,
    css`
      .work { gap: 0.5rem; }
      .picture { position: relative; flex: 1; min-height: 12rem; }
      .picture labeljob-surface { position: absolute; inset: 0; }
      :host(:not([alone])) .picture { height: 60dvh; flex: none; }
      .instead { position: absolute; inset: 0; display: grid; place-content: center; padding: 1.5rem; text-align: center; pointer-events: none; }
      .instead p { margin: 0; max-width: 28rem; }
      fieldset { flex: 0 1 auto; }
      @media (max-width: 42rem) {
        .annotation-area { gap: 0.5rem; padding: 0.75rem 1rem; background: var(--crowd-raised); }
        .work, .answers { display: contents; }
        /* Labels are above the image, in one line, and all else below it. */
        fieldset { order: 1; flex: none; min-height: 0; }
        .options { flex-direction: row; overflow: auto; gap: 0.1rem; }
        .row .name { white-space: nowrap; }
        .row .key { display: none; }
        .picture { order: 2; flex: none; height: max(12rem, min(45dvh, 100vw)); }
        .work > .bars:last-child { order: 3; }
        .answers > :not(fieldset), ::slotted(*) { order: 4; }
        .answers > .submit { order: 5; position: static; box-shadow: none; }
      }
    `,
  ];

  @property({ converter: (text) => readNames(readJson(text, "labels")) }) labels: string[] = [];
  @property() src = "";
  @property({ attribute: "initial-value" }) initialValue: string | null = null;

  /** Why there is nothing to paint on. */
  @state() private obstacle = "The image is being loaded…";
  @state() private wanted = "";
  @query("labeljob-surface") private surface!: Surface | null;

  private readonly bench = new Workbench(
    () => this.surface,
    () => this.requestUpdate(),
    () => this.announceStep(),
  );
  private loading: Promise<void> = Promise.resolve();
  private photo: Photo | null = null;
  private painting: Painting | null = null;
  private painted: readonly string[] = []; // the label of each class of it but BACKGROUND
  private initial: Uint8Array | null = null; // the mask to adjust
  private restored: EarlierMask | null = null; // the answer that was taken over last
  /** Why that is not, or not wholly, what the worker sees. */
  @state() private initialProblem = "";
  private colors: Color[] = [];
  private encoded: { painting: Painting; revision: number; png: string; isModified: boolean } | null = null;
  private isEmptyAccepted = false;
  private loads = 0; // begun so far
  private wasTriedAgain = false; // to load the image
  private kept = ""; // what the portal was told last of the view
  private keepTimer = 0;
  private shownScale = 0;
  private shownClass = 1;

  override get decoded(): Promise<void> {
    return this.loading;
  }

  // --- the answer --------------------------------------------------------------------------------

  get value(): Json {
    return this._submittableValue;
  }

  set value(value: unknown) {
    const mask = readAnswer(value);
    this.loading = this.loading.then(() => this.repaint(mask));
  }

  get _submittableValue(): Json {
    const { painting } = this;
    if (!painting) return {};
    const { width, height } = painting;
    const { png, isModified } = this.isReady
      ? this.encoded!
      : { png: toBase64(encodeMaskNow(painting.pixels, width, height, this.colors)), isModified: this.isModified };
    const answer: { [name: string]: Json } = {
      inputImageProperties: { height, width },
      labelMappings: Object.fromEntries(this.labels.map((label, at) => [label, { color: this.colors[at]! }])),
      labeledImage: { pngImageData: png },
    };
    if (this.initialValue?.trim()) answer["initialValueModified"] = isModified;
    return answer;
  }

  /** Whether the answer is at hand, made of the mask as it is now. */
  private get isReady(): boolean {
    const { encoded, painting } = this;
    return painting === null || (encoded?.painting === painting && encoded.revision === painting.revision);
  }

  override async prepare(): Promise<void> {
    await this.loading;
    for (let isFirst = true; !this.isReady; isFirst = false) {
      if (!isFirst) await new Promise((resolve) => setTimeout(resolve, ENCODE_AGAIN_AFTER));
      const painting = this.painting!;
      const { revision, pixels, width, height } = painting;
      const isModified = this.isModified;
      const png = toBase64(await encodeMask(pixels, width, height, this.colors));
      this.encoded = { painting, revision, png, isModified };
    }
  }

  writeTo(answer: Answer): void {
    if (this.name && this.painting) answer[this.name] = this._submittableValue;
  }

  restore(answer: Answer): void {
    if (answer[this.name] !== undefined) this.value = answer[this.name];
  }

  reset(): void {
    if (this.painting) this.bench.paint((painting) => painting.replace(this.initial?.slice() ?? new Uint8Array(painting.pixels.length)));
  }

  findProblem(): string | null {
    if (this.labels.length > MOST_LABELS) return this.labelsProblem;
    if (!this.painting) return this.obstacle;
    if (this.initialProblem && !this.initial && this.isEmpty) {
      return "Nothing is painted, since the earlier mask is not there. Paint this image anew, or use “This cannot be labelled”.";
    }
    if (this.isEmptyAccepted || !this.labels.length || !this.isEmpty) return null;
    this.isEmptyAccepted = true;
    return "Nothing is painted. If nothing in this image has one of the labels, submit once more.";
  }

  /** Whether it is not the mask any more that was to be adjusted. */
  private get isModified(): boolean {
    if (this.initialProblem) return true;
    if (!this.initial) return !this.isEmpty;
    const { pixels } = this.painting!;
    for (let at = 0; at < pixels.length; at++) if (pixels[at] !== this.initial[at]) return true;
    return false;
  }

  private get isEmpty(): boolean {
    return this.painting!.countByClass()[BACKGROUND] === this.painting!.pixels.length;
  }

  private announceStep(): void {
    this.isEmptyAccepted = false;
    this.announceChange();
  }

  // --- what is painted on ------------------------------------------------------------------------

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("labels") || changed.has("initialValue")) {
      this.colors = assignColors(this.labels, readColors(this.initialMask["labelMappings"]));
      this.bench.setLabels(this.labels, this.colors);
      this.encoded = null;
    }
    if (changed.has("src")) {
      this.restored = null;
      this.wasTriedAgain = false;
    }
    if (changed.has("src") || changed.has("initialValue")) this.loading = this.load();
    else if (changed.has("labels") && this.painting) this.relabel(this.painting);
  }

  /** Labels that were assigned: each pixel keeps its label, wherever that is among them now. */
  private relabel(painting: Painting): void {
    const { restored } = this;
    if (!painting.canUndo && restored) {
      this.loading = this.loading.then(() => this.repaint(restored)); // it may have labels that were missing
    } else if (!painting.canUndo && this.initial) {
      this.loading = this.load();
    } else {
      const counts = painting.countByClass();
      const gone = this.painted.filter((label, at) => counts[at + 1] && !this.labels.includes(label));
      const table = [BACKGROUND, ...this.painted.map((label) => this.labels.indexOf(label) + 1)];
      this.initial = this.initial?.map((cls) => table[cls]!) ?? null;
      this.open(painting.pixels.map((cls) => table[cls]!));
      if (gone.length) this.complaint = `This page has taken away ${gone.join(", ")}: what was painted so is background now.`;
    }
  }

  private get initialMask(): Record<string, unknown> {
    const value = readJson(this.initialValue, "initial-value");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  }

  private async load(): Promise<void> {
    const { src } = this;
    const load = ++this.loads;
    const isOutdated = (): boolean => this.loads !== load;
    this.bench.close();
    this.bench.src = src;
    this.photo = this.painting = this.initial = null;
    this.initialProblem = "";
    this.obstacle = src ? "The image is being loaded…" : "This page names no image: its src is empty.";
    if (!src) return;
    let photo: Photo;
    try {
      photo = await Photo.open(src);
    } catch (error) {
      if (!isOutdated()) {
        this.obstacle = readMessage(error);
        void this.tryAgain();
      }
      return;
    }
    let problem = "";
    let initial: Uint8Array | null = null;
    const strange = new Map<number, number>();
    try {
      initial = await this.loadInitial(photo, strange);
    } catch (error) {
      problem = `The earlier mask cannot be shown: ${readMessage(error)}`;
    }
    if (isOutdated()) {
      photo.close();
      return;
    }
    this.photo = photo;
    this.initial = initial;
    this.initialProblem = problem || this.describeStrange(strange);
    this.obstacle = "";
    this.open(initial?.slice());
    if (this.restored) await this.repaint(this.restored);
  }

  /** Load the image once more, as soon as it can be had. */
  private async tryAgain(): Promise<void> {
    const { src } = this;
    if (this.wasTriedAgain || !(await comesBack(src, () => this.isConnected && this.src === src))) return;
    this.wasTriedAgain = true;
    this.loading = this.load();
  }

  /** The pixels of the mask to adjust, if there is one; how many have which color of no label is put in `strange`. */
  private async loadInitial(photo: Photo, strange: Map<number, number>): Promise<Uint8Array | null> {
    const { src, labelMappings } = this.initialMask;
    if (typeof src !== "string" || !src) return null;
    const response = await fetch(src).catch(() => null);
    if (!response) throw new Error("its file cannot be loaded.");
    if (!response.ok) {
      const what = response.status === NO_IMAGE ? "is not an image" : "is missing or cannot be read";
      throw new Error(`its file ${what} (${response.status}).`);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    return this.readMask({ bytes, colors: readColors(labelMappings) }, photo, strange);
  }

  private describeStrange(strange: ReadonlyMap<number, number>): string {
    if (!strange.size) return "";
    const names = new Map([...readColors(this.initialMask["labelMappings"])].map(([label, color]) => [color, label]));
    const colors = [...strange].sort(([, first], [, second]) => second - first);
    const total = colors.reduce((sum, [, count]) => sum + count, 0);
    const named = colors.slice(0, MOST_NAMED).map(([number]) => {
      const color = `#${number.toString(16).padStart(6, "0")}`;
      return names.has(color) ? `${names.get(color)} (${color})` : color;
    });
    const others = colors.length > MOST_NAMED ? ` and ${colors.length - MOST_NAMED} more` : "";
    return (
      `The earlier mask has ${total.toLocaleString("en")} ${total === 1 ? "pixel" : "pixels"} of colors that no label ` +
      `here has: ${named.join(", ")}${others}. You see background there.`
    );
  }

  private async readMask(
    { bytes, colors }: EarlierMask,
    { size }: Photo,
    strange?: Map<number, number>,
  ): Promise<Uint8Array> {
    const picture = await decodePng(bytes);
    if (picture.width !== size.width || picture.height !== size.height) {
      const [mask, image] = [picture, size].map(({ width, height }) => `${width} x ${height}`);
      throw new Error(`it has ${mask} pixels, the image ${image}.`);
    }
    const classes = new Map<Color, number>();
    for (const [label, color] of colors) {
      if (label === "BACKGROUND" || this.labels.includes(label)) classes.set(color, this.labels.indexOf(label) + 1);
    }
    return toClasses(picture, classes, strange);
  }

  /** Take over an earlier answer; null is none. */
  private async repaint(mask: EarlierMask | null): Promise<void> {
    const { photo } = this;
    this.restored = mask;
    if (!photo) return;
    try {
      const pixels = mask ? await this.readMask(mask, photo) : undefined;
      if (this.photo === photo) this.open(pixels);
    } catch (error) {
      this.complaint = `The earlier answer cannot be shown: ${readMessage(error)}`;
    }
  }

  private open(pixels: Uint8Array | undefined): void {
    const { width, height } = this.photo!.size;
    this.painting = new Painting(width, height, pixels);
    this.painted = this.labels;
    this.bench.open(this.photo!, this.painting);
  }

  // --- keys --------------------------------------------------------------------------------------

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keyup", this.releaseKey);
    window.addEventListener("blur", this.releaseKeys);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keyup", this.releaseKey);
    window.removeEventListener("blur", this.releaseKeys);
  }

  private readonly releaseKey = (event: KeyboardEvent): void => {
    if (event.key === " ") this.surface?.holdSpace(false);
    this.bench.releaseKey(event.key.toLowerCase());
  };

  /** Keys that go up elsewhere are not heard of. */
  private readonly releaseKeys = (): void => {
    this.surface?.holdSpace(false);
    this.bench.releaseHeld();
  };

  protected takeKey(event: KeyboardEvent, source: Element): void {
    if (this.disabled || this.sending || !this.surface) return;
    // Brackets need Alt on many keyboards, and AltGr is Ctrl and Alt on some systems.
    const isCharacter = event.getModifierState("AltGraph") || "[]".includes(event.key);
    const isCommand = (event.ctrlKey || event.metaKey) && !isCharacter;
    const isPlain = !event.altKey || isCharacter;
    const isTaken = isCommand ? this.takeCommand(event) : isPlain && this.takePlainKey(event, source);
    if (isTaken) event.preventDefault();
  }

  private takeCommand(event: KeyboardEvent): boolean {
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) {
      if (!this.bench.tool.takeKey?.("Backspace")) this.bench.undo();
    } else if (key === "y" || key === "z") {
      this.bench.redo();
    } else if (key === "enter") {
      if (!event.repeat) this.finish();
    } else {
      return false;
    }
    return true;
  }

  private takePlainKey(event: KeyboardEvent, source: Element): boolean {
    const { bench, surface } = this;
    const { key } = event;
    const isOnControl = source.closest("button, a, input, summary") !== null;
    if (key === " ") {
      if (isOnControl && !surface!.pointed) return false;
      surface!.holdSpace(true);
      return true;
    }
    if (key === "Enter" && isOnControl) return false;
    if (bench.isOpen && bench.tool.takeKey?.(key)) return true;
    const tool = bench.tools.find((each) => each.key === key.toLowerCase());
    const shown = this.shownLabels[Number(key) - 1];
    if (tool) {
      if (!event.repeat) bench.holdTool(tool);
    } else if (key === "0") {
      bench.chooseClass(BACKGROUND);
    } else if (/^[1-9]$/.test(key)) {
      if (shown !== undefined) bench.chooseClass(this.labels.indexOf(shown) + 1);
    } else if (key === "," || key === ".") {
      this.chooseNextLabel(key === "," ? -1 : 1);
    } else if (key === "+" || key === "=") {
      surface!.zoomBy(ZOOM_STEP);
    } else if (key === "-") {
      surface!.zoomBy(1 / ZOOM_STEP);
    } else if (key === "f") {
      surface!.fitImage();
    } else if (key === "z") {
      surface!.zoomToPixels();
    } else if (key === "o") {
      bench.setOnlyBackground(!bench.onlyBackground);
      bench.say(bench.onlyBackground ? "Paints on background only." : "Paints over everything.");
    } else if (key === "h") {
      bench.toggleLabels();
    } else if (key === "i") {
      this.pickLabel();
    } else if (key === "/" && this.hasFilter) {
      this.renderRoot.querySelector<HTMLInputElement>(".filter")?.focus();
    } else if (key === "?") {
      this.showKeys();
    } else {
      return false;
    }
    return true;
  }

  private chooseNextLabel(step: number): void {
    const count = this.labels.length + 1; // with the background
    this.bench.chooseClass((this.bench.cls + step + count) % count);
  }

  /** Choose the label that is under the pointer. */
  private pickLabel(): void {
    const at = this.surface?.pointed;
    if (!at || !this.painting) return;
    const cls = this.painting.classAt(at);
    this.bench.chooseClass(cls);
    this.bench.say(`Paints ${this.labels[cls - 1] ?? "background"}.`);
  }

  /** Submit, with the shape that is under way. */
  private finish(): void {
    this.bench.finish();
    this.tellView();
    this.submit();
  }

  override get keys(): Key[] {
    const rows: Key[] = [["1 … 9, 0", "Paint with one of the first nine labels, or erase with the background"]];
    rows.push([", and .", "Choose the label before or after"], ["I", "Choose the label under the pointer"]);
    if (this.hasFilter) rows.push(["/", "Filter the labels"]);
    for (const tool of this.bench.tools) {
      rows.push([tool.key.toUpperCase(), `${tool.name}; held, only until you release the key`], ...tool.keys);
    }
    rows.push(
      ["Ctrl and Z, Ctrl and Y", "Undo and redo one step"],
      ["O", "Paint on background only, or over everything"],
      ["H", "Hide or show all labels"],
      ["Space and drag, or the middle button", "Move the image, also while you paint"],
      ["+ and −, or the wheel", "Zoom in and out; the wheel zooms where the pointer is"],
      ["F", "Fit image: show all of it"],
      ["Z", "Show the image one to one"],
      ["Two fingers", "Move and zoom; beside a pen one finger moves the image"],
      ["Arrow keys", "Move the image, when it has the focus"],
      ["Ctrl and Enter", "Submit"],
    );
    return rows;
  }

  // --- what is shown -----------------------------------------------------------------------------

  private get hasFilter(): boolean {
    return this.labels.length > LONG_LIST;
  }

  private get shownLabels(): string[] {
    const wanted = this.wanted.trim().toLocaleLowerCase();
    return this.labels.filter((label) => label.toLocaleLowerCase().includes(wanted));
  }

  private get labelsProblem(): string {
    return `This page names ${this.labels.length} labels; a mask can hold ${MOST_LABELS}.`;
  }

  private readonly typeFilter = (event: KeyboardEvent): void => {
    const [first] = this.shownLabels;
    if (event.key === "Enter" && first !== undefined) this.bench.chooseClass(this.labels.indexOf(first) + 1);
    else if (event.key !== "Escape") return;
    this.wanted = "";
    this.surface?.focus();
    event.preventDefault();
    event.stopPropagation();
  };

  override focus(): void {
    this.surface?.focus();
  }

  override firstUpdated(): void {
    super.firstUpdated();
    this.surface!.onPlace = (): void => {
      if (this.surface!.scale !== this.shownScale) this.requestUpdate();
      this.keepView();
    };
  }

  override updated(): void {
    this.shownScale = this.surface!.scale;
    if (this.shownClass !== this.bench.cls) {
      this.shownClass = this.bench.cls;
      this.renderRoot.querySelector(".option:has(input:checked)")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    if (this.painting) this.keepView();
  }

  /** Let the portal keep how the worker looks at images, for the next one. */
  private keepView(): void {
    window.clearTimeout(this.keepTimer);
    this.keepTimer = window.setTimeout(() => this.tellView(), KEEP_AFTER);
  }

  private tellView(): void {
    window.clearTimeout(this.keepTimer);
    const view = this.bench.memory;
    const text = JSON.stringify(view);
    if (text !== this.kept) post({ labeljob: "view", view });
    this.kept = text;
  }

  override takeView(view: Json): void {
    this.bench.memory = view;
  }

  override render(): TemplateResult {
    const { bench } = this;
    return html`
      <div class="layout awsui-app-layout">
        ${this.instructions.render()}
        <div class="annotation-area" role=${this.alone ? "main" : "group"} aria-label=${this.header || "Task"}>
          <div class="work">
            ${this.header ? html`<h1 dir="auto">${this.header}</h1>` : nothing} 
            ${this.initialProblem ? html`<p class="complaint" role="alert">${this.initialProblem}</p>` : nothing}
            <div class="bars">${renderTools(bench)} ${renderToolSettings(bench)}</div>
            <div class="picture">
              <labeljob-surface ?wheel=${this.alone} ?locked=${this.disabled || this.sending}></labeljob-surface>
              ${this.obstacle ? html`<div class="instead" role="alert"><p>${this.obstacle}</p></div>` : nothing}
            </div>
            ${renderZoom(bench, this.surface, () => this.showKeys())}
          </div>
          <div class="answers category-picker-wrapper">
            <fieldset>
              <legend>Label to paint</legend>
              ${this.hasFilter
                ? renderFilter(this.labels.length, this.wanted, (wanted) => void (this.wanted = wanted), this.typeFilter)
                : nothing}
              <div class="options">${renderLabels(bench, this.labels, this.colors, this.shownLabels, this.disabled)}</div>
            </fieldset>
            ${this.labels.length
              ? nothing
              : html`<p class="complaint">This page names no labels: its <code>labels</code> are empty.</p>`}
            ${this.labels.length > MOST_LABELS ? html`<p class="complaint">${this.labelsProblem}</p>` : nothing}
            ${renderOnlyBackground(bench, this.disabled)} ${renderLooks(bench, this.labels)}
            <slot name="worker-comment"></slot>
            <slot></slot>
            ${this.complaint ? html`<p class="complaint" role="alert">${this.complaint}</p>` : nothing}
            ${this.alone
              ? html`<button class="primary submit" aria-keyshortcuts="Control+Enter" ?disabled=${this.sending} @click=${(): void => this.finish()}>
                  Submit
                </button>`
              : nothing}
          </div>
        </div>
      </div>
    `;
  }
}

/** The mask in an answer; null when it has none. */
function readAnswer(value: unknown): EarlierMask | null {
  if (typeof value !== "object" || value === null) return null;
  const { labeledImage, labelMappings } = value as Record<string, unknown>;
  if (typeof labeledImage !== "object" || labeledImage === null || !("pngImageData" in labeledImage)) return null;
  const png = String(labeledImage.pngImageData);
  try {
    return png ? { bytes: fromBase64(png), colors: readColors(labelMappings) } : null;
  } catch {
    return null;
  }
}

function readMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
