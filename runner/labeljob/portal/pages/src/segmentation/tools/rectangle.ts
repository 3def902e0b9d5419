/** Paints a rectangle, from one corner to the other. */
import { nothing, svg, type SVGTemplateResult } from "lit";
import type { Key } from "../../shared/messages";
import type { Point } from "../geometry";
import type { Tool, ToolHost } from "../tool";

export class Rectangle implements Tool {
  readonly id = "rectangle";
  readonly name = "Rectangle";
  readonly key = "r";
  readonly cursor = "cross";
  readonly keys: Key[] = [["Escape", "Rectangle: give up the one under way"]];
  private corners: [Point, Point] | null = null;

  constructor(private readonly host: ToolHost) {}

  press(at: Point): void {
    this.corners = [at, at];
  }

  drag(at: Point): void {
    if (this.corners) this.corners = [this.corners[0], at];
    this.host.requestFrame();
  }

  release(at: Point): void {
    const { corners } = this;
    this.cancel();
    if (corners) this.host.paint((painting) => painting.rectangle(corners[0], at, this.host.cls));
  }

  cancel(): void {
    this.corners = null;
    this.host.requestFrame();
  }

  stop(): void {
    this.cancel();
  }

  takeKey(key: string): boolean {
    if (key !== "Escape" || !this.corners) return false;
    this.cancel();
    return true;
  }

  renderGuide(): SVGTemplateResult | typeof nothing {
    if (!this.corners) return nothing;
    const [a, b] = this.corners;
    const corner = `${a.x},${a.y} ${b.x},${a.y} ${b.x},${b.y} ${a.x},${b.y}`;
    return svg`<polygon class="edge" points=${corner} /><polygon class="line" points=${corner} />`;
  }
}
