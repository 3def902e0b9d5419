/** Fills the area under the pointer, as far as one class reaches. */
import type { Key } from "../../shared/messages";
import type { Point } from "../geometry";
import type { Tool, ToolHost } from "../tool";

export class Fill implements Tool {
  readonly id = "fill";
  readonly name = "Fill";
  readonly key = "g";
  readonly cursor = "cross";
  readonly keys: Key[] = [];

  constructor(private readonly host: ToolHost) {}

  press(at: Point): void {
    this.host.paint((painting) => painting.fill(at, this.host.cls));
  }

  drag(): void {}

  release(): void {}

  /** The second finger of two: what the first one filled is no step. */
  cancel(): void {}
}
