/** Paints regions of similar color that the server found: superpixels. */
import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import type { Json, Key } from "../../shared/messages";
import type { Point } from "../geometry";
import type { RegionMap } from "../region_map";
import { askHelp, loadRegions, readMessage } from "../server_help";
import type { Tool, ToolHost } from "../tool";

const USUAL = 1000;

export class Superpixels implements Tool {
  readonly id = "superpixels";
  readonly name = "Superpixels";
  readonly key = "s";
  readonly cursor = "cross";
  readonly keys: Key[] = [
    ["[ and ], or Shift and the wheel", "Superpixels: smaller or larger ones"],
    ["Shift and a click, or drag", "Superpixels: take the label away"],
  ];
  absence?: string;
  private src = ""; // of the image that was asked about
  private counts: number[] = [];
  private count = USUAL;
  private regions: RegionMap | null = null;
  private borders = ""; // address of a picture of them
  private loading: AbortController | null = null;
  private isChosen = false;
  private last: Point | null = null;
  private shown: number | null = null; // the region that is previewed

  constructor(private readonly host: ToolHost) {}

  get memory(): Json {
    return { count: this.count };
  }

  set memory(memory: Json) {
    if (typeof memory !== "object" || memory === null || Array.isArray(memory)) return;
    if (typeof memory["count"] === "number") this.count = memory["count"];
  }

  /** Ask whether the image can be divided. */
  open(): void {
    const { src } = this.host;
    if (src === this.src) return;
    this.forget();
    this.src = src;
    delete this.absence;
    void askHelp(src).then(
      ({ superpixels }) => {
        if (this.host.src !== src) return;
        this.counts = superpixels;
        if (!superpixels.includes(this.count)) this.count = superpixels.includes(USUAL) ? USUAL : superpixels[0]!;
        if (this.isChosen) this.load();
        this.host.requestUpdate();
      },
      (error: unknown) => {
        if (this.host.src !== src) return;
        this.absence = readMessage(error);
        this.host.requestUpdate();
      },
    );
  }

  start(): void {
    this.isChosen = true;
    if (!this.regions && this.counts.length > 0) this.load();
  }

  stop(): void {
    this.isChosen = false;
    this.shown = null;
    this.loading?.abort();
  }

  private forget(): void {
    this.loading?.abort();
    this.loading = this.regions = this.shown = this.last = null;
    this.counts = [];
    if (this.borders) URL.revokeObjectURL(this.borders);
    this.borders = "";
  }

  private load(): void {
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    this.host.say("The image is being divided…");
    void this.fetchRegions(loading.signal)
      .catch((error: unknown) => {
        if (!loading.signal.aborted) this.host.say(readMessage(error));
      })
      .finally(() => {
        if (this.loading !== loading) return;
        this.loading = null;
        this.host.requestUpdate();
      });
  }

  private async fetchRegions(signal: AbortSignal): Promise<void> {
    const regions = await loadRegions(this.host.src, this.count, this.host.size, signal);
    const borders = await regions.drawBorders();
    if (signal.aborted) return;
    if (this.borders) URL.revokeObjectURL(this.borders);
    this.borders = URL.createObjectURL(borders);
    this.regions = regions;
    this.show(null);
    this.host.say(`${regions.count} superpixels. Click those of the label, or draw over them.`);
  }

  press(at: Point, event: PointerEvent): void {
    this.host.begin();
    this.paint(at, at, event);
  }

  drag(at: Point, event: PointerEvent): void {
    this.paint(this.last ?? at, at, event);
  }

  release(at: Point): void {
    this.host.end();
    this.hover(at);
  }

  jump(at: Point): void {
    this.last = at;
  }

  cancel(): void {
    this.host.abandon();
  }

  hover(at: Point | null): void {
    this.show(at && this.regions ? this.regions.at(at) : null);
  }

  turn(step: number): void {
    this.resize(-step);
  }

  takeKey(key: string): boolean {
    if (key !== "[" && key !== "]") return false;
    this.resize(key === "[" ? 1 : -1);
    return true;
  }

  /** Take the next count: 1 is more and smaller superpixels, -1 fewer and larger ones. */
  private resize(step: number): void {
    const count = this.counts[this.counts.indexOf(this.count) + step];
    if (count !== undefined) this.choose(count);
  }

  private choose(count: number): void {
    this.count = count;
    this.load();
    this.host.requestUpdate();
  }

  private paint(from: Point, to: Point, event: PointerEvent): void {
    this.last = to;
    this.show(null);
    const { regions } = this;
    if (!regions) {
      this.host.say(this.loading ? "The image is still being divided. Wait a moment." : (this.absence ?? "There are no superpixels yet."));
      return;
    }
    const cls = event.shiftKey ? 0 : this.host.cls;
    for (const region of regions.between(from, to)) {
      this.host.draw((painting) => painting.runs(regions.runsOf(region), cls));
    }
  }

  private show(region: number | null): void {
    if (this.shown === region) return;
    this.shown = region;
    this.host.preview(region === null ? null : this.regions!.pixelsOf(region));
  }

  renderGuide(): SVGTemplateResult | typeof nothing {
    if (!this.borders) return nothing;
    const { width, height } = this.host.size;
    return svg`<image href=${this.borders} width=${width} height=${height} preserveAspectRatio="none" style="image-rendering: pixelated" />`;
  }

  renderSettings(): TemplateResult {
    return html`
      <label>
        Superpixels
        <select
          @change=${(event: Event): void => this.choose(Number((event.target as HTMLSelectElement).value))}
        >
          ${this.counts.map((count) => html`<option value=${count} ?selected=${count === this.count}>${count}</option>`)}
        </select>
      </label>
    `;
  }
}
