/** Paints the object whose topmost, lowest, leftmost and rightmost points the worker clicks. */
import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import type { Key } from "../../shared/messages";
import type { Point } from "../geometry";
import type { Run } from "../painting";
import { askHelp, findObject, readMessage } from "../server_help";
import type { Pixels, Tool, ToolHost } from "../tool";

const POINTS = 4;

export class ExtremePoints implements Tool {
  readonly id = "extreme-points";
  readonly name = "Four points";
  readonly key = "x";
  readonly cursor = "cross";
  readonly keys: Key[] = [
    ["Backspace, or Ctrl and Z", "Four points: take back the last point"],
    ["Escape", "Four points: give them up"],
  ];
  absence?: string;
  private src = ""; // of the image that was asked about
  private means = ""; // what finds the object
  private isChosen = false;
  private points: Point[] = [];
  private looking: AbortController | null = null;

  constructor(private readonly host: ToolHost) {}

  /** Ask whether objects can be found in the image. */
  open(): void {
    this.forget();
    const { src } = this.host;
    if (src === this.src) return;
    this.src = src;
    this.means = "";
    delete this.absence;
    void askHelp(src)
      .then(
        ({ extremePoints }) => {
          if (this.host.src !== src) return;
          this.means = extremePoints;
          if (this.isChosen) this.explain();
        },
        (error: unknown) => {
          if (this.host.src === src) this.absence = readMessage(error);
        },
      )
      .then(() => this.host.requestUpdate());
  }

  start(): void {
    this.isChosen = true;
    if (this.means) this.explain();
  }

  stop(): void {
    this.isChosen = false;
    this.forget();
  }

  private explain(): void {
    this.host.say(`Click an object's topmost, lowest, leftmost and rightmost point. It is found by ${this.means}.`);
  }

  private forget(): void {
    this.looking?.abort();
    this.looking = null;
    this.points = [];
  }

  press(at: Point): void {
    if (this.looking) {
      this.host.say("The object is still being looked for. Escape gives it up.");
      return;
    }
    if (this.points.length === 0) this.host.say("");
    this.points = [...this.points, this.keepInside(at)];
    this.host.requestUpdate();
  }

  drag(at: Point): void {
    if (this.looking) return;
    this.points = this.points.with(-1, this.keepInside(at));
    this.host.requestFrame();
  }

  release(): void {
    if (!this.looking && this.points.length === POINTS) void this.find();
  }

  cancel(): void {
    if (this.looking) return;
    this.points = this.points.slice(0, -1);
    this.host.requestUpdate();
  }

  takeKey(key: string): boolean {
    if (this.points.length === 0) return false;
    if (key === "Escape") {
      this.forget();
      this.host.say("");
    } else if (key === "Backspace") {
      this.looking?.abort();
      this.looking = null;
      this.points = this.points.slice(0, -1);
    } else {
      return false;
    }
    this.host.requestUpdate();
    return true;
  }

  private keepInside({ x, y }: Point): Point {
    const { width, height } = this.host.size;
    return { x: Math.min(Math.max(x, 0), width), y: Math.min(Math.max(y, 0), height) };
  }

  private async find(): Promise<void> {
    const { src } = this.host;
    const looking = new AbortController();
    this.looking = looking;
    this.host.say("Looking for the object…");
    let text: string;
    let found: Pixels | null = null;
    try {
      found = await findObject(src, this.points, looking.signal);
      text = `Found by ${this.means}. Ctrl+Z takes it back.`;
    } catch (error) {
      text = readMessage(error);
    }
    if (looking.signal.aborted) return;
    this.looking = null;
    this.points = [];
    if (found) this.host.paint((painting) => painting.runs(listRuns(found), this.host.cls));
    this.host.say(text);
    this.host.requestUpdate();
  }

  renderGuide(): SVGTemplateResult | typeof nothing {
    const { points } = this;
    if (points.length === 0) return nothing;
    const radius = 5 / this.host.scale;
    return svg`${points.map(({ x, y }) => svg`<circle class="dot first" cx=${x} cy=${y} r=${radius} />`)}`;
  }

  renderSettings(): TemplateResult {
    if (this.looking) {
      return html`
        <span class="hint">Looking for the object…</span>
        <button @click=${(): void => void this.takeKey("Escape")}>Give up</button>
      `;
    }
    const missing = POINTS - this.points.length;
    return html`
      <span class="hint">${missing === POINTS ? "Click top, bottom, left and right" : `${missing} more`}</span>
      ${this.points.length > 0 ? html`<button @click=${(): void => void this.takeKey("Escape")}>Give up</button>` : nothing}
    `;
  }
}

function* listRuns({ rect, bits }: Pixels): Iterable<Run> {
  for (let row = 0; row < rect.height; row++) {
    const first = row * rect.width;
    let start = bits.indexOf(1, first);
    while (start >= 0 && start < first + rect.width) {
      const zero = bits.indexOf(0, start);
      const end = zero < 0 ? first + rect.width : Math.min(zero, first + rect.width);
      yield [rect.y + row, rect.x + start - first, rect.x + end - first];
      start = bits.indexOf(1, end);
    }
  }
}
