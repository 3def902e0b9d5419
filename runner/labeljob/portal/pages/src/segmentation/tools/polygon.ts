/** Paints a polygon whose corners are clicked, or drawn while the pointer is down. */
import { nothing, svg, type SVGTemplateResult, type TemplateResult, html } from "lit";
import type { Key } from "../../shared/messages";
import type { Point } from "../geometry";
import type { Painting } from "../painting";
import type { Tool, ToolHost } from "../tool";

const REACH = 9; // pixels of the view around a corner in which it is taken
const STRIDE = 5; // pixels of the view between the corners of a line that is drawn
const FEWEST = 3; // corners
const DOUBLE = 400; // milliseconds between the presses of a double click

export class Polygon implements Tool {
  readonly id = "polygon";
  readonly name = "Polygon";
  readonly key = "p";
  readonly cursor = "cross";
  readonly keys: Key[] = [
    ["Enter, a double click, or a click on the first corner", "Polygon: paint it"],
    ["Backspace, or Ctrl and Z", "Polygon: take back the last corner"],
    ["Escape", "Polygon: give it up"],
    ["Drag", "Polygon: draw a line by hand, or move a corner"],
  ];
  private corners: Point[] = [];
  private before: Point[] = []; // what they were when the pointer went down
  private taken: number | null = null; // the corner that the pointer went down on
  private hasMoved = false;
  private pressed = 0; // when the pointer went down, in milliseconds
  private isDouble = false;
  private end: Point | null = null; // where the next corner would be
  private painting: Painting | null = null; // they are of its image

  constructor(private readonly host: ToolHost) {}

  /** Another tool may have been used meanwhile: the corners are still there. */
  start(): void {
    if (this.painting !== this.host.painting) this.corners = [];
    this.painting = this.host.painting;
  }

  stop(): void {
    this.end = null;
  }

  press(at: Point, { timeStamp }: PointerEvent): void {
    this.before = this.corners;
    this.hasMoved = false;
    const taken = this.corners.findIndex((corner) => this.measure(corner, at) <= REACH);
    this.taken = taken < 0 ? null : taken;
    this.isDouble = taken === this.corners.length - 1 && timeStamp - this.pressed < DOUBLE;
    this.pressed = timeStamp;
    if (this.taken === null) this.corners = [...this.corners, at];
    this.hover(at);
    this.host.requestUpdate();
  }

  drag(at: Point): void {
    if (this.taken === null) {
      if (this.measure(this.corners.at(-1)!, at) >= STRIDE) this.corners = [...this.corners, at];
    } else {
      this.hasMoved ||= this.measure(this.before[this.taken]!, at) > REACH;
      if (this.hasMoved) this.corners = this.corners.with(this.taken, at);
    }
    this.hover(at);
  }

  release(): void {
    if (!this.hasMoved && (this.taken === 0 || this.isDouble)) this.finish();
    this.host.requestUpdate();
  }

  hover(at: Point | null): void {
    this.end = at;
    if (this.corners.length > 0) this.host.requestFrame();
  }

  cancel(): void {
    this.corners = this.before;
    this.host.requestUpdate();
  }

  takeKey(key: string): boolean {
    if (this.corners.length === 0 || this.painting !== this.host.painting) return false;
    if (key === "Enter") this.finish();
    else if (key === "Backspace") this.corners = this.corners.slice(0, -1);
    else if (key === "Escape") this.corners = [];
    else return false;
    this.host.requestUpdate();
    return true;
  }

  private finish(): void {
    const { corners } = this;
    if (corners.length < FEWEST) {
      this.host.say("A polygon has at least three corners.");
      return;
    }
    this.corners = [];
    this.host.paint((painting) => painting.polygon(corners, this.host.cls));
  }

  /** How far apart two points are in the view. */
  private measure(a: Point, b: Point): number {
    return Math.hypot(a.x - b.x, a.y - b.y) * this.host.scale;
  }

  renderGuide(): SVGTemplateResult | typeof nothing {
    const { corners, end } = this;
    if (corners.length === 0) return nothing;
    const points = [...corners, ...(end ? [end] : [])].map(({ x, y }) => `${x},${y}`).join(" ");
    const radius = 4 / this.host.scale;
    return svg`
      <polygon class="edge" points=${points} /><polygon class="line" points=${points} />
      ${corners.map(({ x, y }, at) => svg`<circle class=${at === 0 ? "dot first" : "dot"} cx=${x} cy=${y} r=${at === 0 ? 1.5 * radius : radius} />`)}
    `;
  }

  renderSettings(): TemplateResult | typeof nothing {
    const hint = "Click the corners, or draw with the pointer down.";
    if (this.corners.length === 0) return html`<span class="hint">${hint}</span>`;
    return html`
      <button ?disabled=${this.corners.length < FEWEST} @click=${(): void => void this.takeKey("Enter")}>Paint polygon</button>
      <button @click=${(): void => void this.takeKey("Escape")}>Give up</button>
    `;
  }
}
