/** The brush, and the eraser, which is a brush that paints BACKGROUND. They share one size. */
import { html, type TemplateResult } from "lit";
import type { Json, Key } from "../../shared/messages";
import type { Point } from "../geometry";
import type { Tool, ToolHost } from "../tool";

const LARGEST = 1000; // pixels across
const STEP = 1.2;
const NOTCHES = 100; // of the slider
const ERASER_OF_A_PEN = 32; // among the buttons of a pointer

/** What brush and eraser have in common. */
class Tip {
  /** Diameter in pixels of the image; 0 until it is chosen. */
  size = 0;
  /** Whether a pen that is pressed harder paints a wider line. */
  usesPressure = false;
}

class Brush implements Tool {
  readonly cursor = "ring";
  private last: Point | null = null;
  private isErasing = false; // with the other end of a pen

  constructor(
    private readonly host: ToolHost,
    private readonly tip: Tip,
    readonly id: "brush" | "eraser",
    readonly name: string,
    readonly key: string,
  ) {}

  get keys(): Key[] {
    if (this.id === "eraser") return [];
    return [
      ["[ and ], or Shift and the wheel", "Make brush and eraser smaller or larger"],
      ["Shift and a click", "Brush and eraser: draw a straight line from where you stopped"],
    ];
  }

  get radius(): number {
    return this.size / 2;
  }

  get memory(): Json {
    return { size: this.tip.size, usesPressure: this.tip.usesPressure };
  }

  set memory(memory: Json) {
    if (typeof memory !== "object" || memory === null || Array.isArray(memory)) return;
    const { size, usesPressure } = memory;
    if (typeof size === "number" && size >= 1) this.tip.size = Math.min(size, LARGEST);
    this.tip.usesPressure = usesPressure === true;
  }

  private get size(): number {
    const { width, height } = this.host.size;
    return this.tip.size || Math.max(3, Math.round(Math.max(width, height) / 50));
  }

  private set size(size: number) {
    this.tip.size = Math.min(Math.max(Math.round(size), 1), LARGEST);
    this.host.requestUpdate();
  }

  press(at: Point, event: PointerEvent): void {
    this.isErasing = event.pointerType === "pen" && (event.buttons & ERASER_OF_A_PEN) !== 0;
    this.host.begin();
    this.draw(event.shiftKey && this.last ? this.last : at, at, event);
  }

  drag(at: Point, event: PointerEvent): void {
    this.draw(this.last ?? at, at, event);
  }

  release(): void {
    this.host.end();
  }

  jump(at: Point): void {
    this.last = at;
  }

  cancel(): void {
    this.host.abandon();
    this.last = null;
  }

  turn(step: number): void {
    this.resize(step);
  }

  takeKey(key: string): boolean {
    if (key === "[") this.resize(-1);
    else if (key === "]") this.resize(1);
    else return false;
    return true;
  }

  private resize(step: number): void {
    const size = this.size * STEP ** step;
    // Small sizes would stay as they are when rounded.
    this.size = step > 0 ? Math.max(size, this.size + 1) : Math.min(size, this.size - 1);
  }

  private draw(from: Point, to: Point, event: PointerEvent): void {
    const cls = this.isErasing || this.id === "eraser" ? 0 : this.host.cls;
    const pressed = this.tip.usesPressure && event.pointerType === "pen" ? Math.min(1, event.pressure * 2) : 1;
    const radius = Math.max(0.5, this.radius * pressed);
    // Between four pixels, a circle as small as one would hold the center of none.
    const [start, end] = radius === 0.5 ? [centerUnder(from), centerUnder(to)] : [from, to];
    this.host.draw((painting) => painting.stroke(start, end, radius, cls));
    this.last = to;
  }

  renderSettings(): TemplateResult {
    const notch = Math.round((Math.log(this.size) / Math.log(LARGEST)) * NOTCHES);
    return html`
      <label>
        Size
        <input
          type="range"
          min="0"
          max=${NOTCHES}
          .value=${String(notch)}
          aria-valuetext="${this.size} pixels"
          @input=${(event: Event): void => {
            this.size = LARGEST ** (Number((event.target as HTMLInputElement).value) / NOTCHES);
          }}
        />
        <output>${this.size} px</output>
      </label>
      <label title="A pen that is pressed harder paints a wider line">
        <input
          type="checkbox"
          .checked=${this.tip.usesPressure}
          @change=${(event: Event): void => {
            event.stopPropagation();
            this.tip.usesPressure = (event.target as HTMLInputElement).checked;
            this.host.requestUpdate();
          }}
        />
        Pen pressure
      </label>
    `;
  }
}

/** The center of the pixel at a point. */
function centerUnder({ x, y }: Point): Point {
  return { x: Math.floor(x) + 0.5, y: Math.floor(y) + 0.5 };
}

export function makeBrushes(host: ToolHost): Tool[] {
  const tip = new Tip();
  return [new Brush(host, tip, "brush", "Brush", "b"), new Brush(host, tip, "eraser", "Eraser", "e")];
}
