/** What a tool of the segmentation editor is, and what the editor gives it. */
import type { SVGTemplateResult, TemplateResult, nothing } from "lit";
import type { Size } from "../elements/geometry";
import type { Json, Key } from "../shared/messages";
import type { Point, Rect } from "./geometry";
import type { Painting } from "./painting";

/** Changes the painting; gives the rectangle that changed, null if none did. */
export type Action = (painting: Painting) => Rect | null;

/** Pixels of a rectangle: row by row, 1 = in. */
export interface Pixels {
  rect: Rect;
  bits: Uint8Array;
}

/** What the editor gives its tools. */
export interface ToolHost {
  readonly painting: Painting;
  readonly size: Size;
  /** The class to paint; 0 is BACKGROUND. */
  readonly cls: number;
  /** The image's address. */
  readonly src: string;
  /** Pixels of the view per pixel of the image. */
  readonly scale: number;
  /** One whole step of history. */
  paint(action: Action): void;
  /** A step in pieces: it begins, takes any number of `draw`, and ends. */
  begin(): void;
  draw(action: Action): void;
  end(): void;
  /** Put back what the step under way has drawn; it is no step then. */
  abandon(): void;
  /** Show pixels in the class's color that are not painted yet. */
  preview(pixels: Pixels | null): void;
  /** Tell the worker, also by a screen reader. */
  say(text: string): void;
  /** The guide or the ring changed: show it with the next frame. Cheap, for every move. */
  requestFrame(): void;
  /** The tool's settings changed too. */
  requestUpdate(): void;
}

/** Points are in pixels of the image, and may lie beside it. Nothing but a tool's constants, `memory`
 * and `absence` is asked for before there is an image. */
export interface Tool {
  readonly id: string;
  readonly name: string;
  /** The key that chooses it; held, it is used until the key is released. */
  readonly key: string;
  readonly cursor: "ring" | "cross" | "none";
  /** Radius of the ring, in pixels of the image. */
  readonly radius?: number;
  /** Why it cannot be used here, if so: it is not offered, and says this. */
  readonly absence?: string;
  /** Rows of the key help. */
  readonly keys: Key[];
  /** What it keeps from image to image, such as a size; given back before it starts. A page may have
   * changed it. */
  memory?: Json;
  /** An image or another painting of it is there, whether or not the tool is in use. */
  open?(): void;
  /** It is chosen, or the image is there. */
  start?(): void;
  /** Another one is chosen, or the image goes: what is not painted yet is given up. */
  stop?(): void;
  press(at: Point, event: PointerEvent): void;
  /** The pointer moves while it is down. */
  drag(at: Point, event: PointerEvent): void;
  release(at: Point, event: PointerEvent): void;
  /** The image was moved under the pointer while it is down: nothing is drawn up to here. */
  jump?(at: Point): void;
  /** The pointer moves while it is up; null: it left. */
  hover?(at: Point | null): void;
  /** Shift and the wheel: one step up (1) or down (-1). */
  turn?(step: number): void;
  /** Offered each key first: Enter, Escape, Backspace of a shape under way. Gives whether it was taken. */
  takeKey?(key: string): boolean;
  /** The press under way was none (a second finger came): undo what it did. A shape of several presses stays. */
  cancel(): void;
  /** Lines in image coordinates above the picture: of the classes `edge` (dark and wide) and, upon it,
   * `line` (light), with a `dot` at each corner. Their width does not change with the scale. */
  renderGuide?(): SVGTemplateResult | typeof nothing;
  /** In the tool bar, such as the brush's size. */
  renderSettings?(): TemplateResult | typeof nothing;
}
