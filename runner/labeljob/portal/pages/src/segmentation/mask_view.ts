/** The mask as the worker sees it: a canvas of the size of the view, in which only what changed is
 * drawn again. Each of its pixels shows the pixel of the image that is under its center. */
import type { Placement, Size } from "../elements/geometry";
import { join, type Rect } from "./geometry";
import type { Painting } from "./painting";
import type { Pixels } from "./tool";

const BAND = 64; // rows that are drawn at once

export class MaskView {
  readonly canvas = document.createElement("canvas");
  /** What each class looks like: red, green, blue and opacity, in the order of a canvas. */
  readonly looks = new Uint32Array(256);
  /** What pixels look like that are shown, but not painted yet. */
  previewLook = 0;
  painting: Painting | null = null;
  private readonly context = this.canvas.getContext("2d")!;
  private preview: Pixels | null = null;
  private placement: Placement = { scale: 1, x: 0, y: 0 };
  private ratio = { x: 1, y: 1 }; // pixels of the canvas per pixel of the view
  private columns = new Int32Array(0); // the image's column under each of the canvas
  private band = new ImageData(1, 1);
  private words = new Uint32Array(this.band.data.buffer);
  private changed: Rect | null = null;
  private isStale = true; // all of it

  /** Whether something has to be drawn. */
  get isDue(): boolean {
    return this.isStale || this.changed !== null;
  }

  /** Make the canvas as large as the view: `size` in its own pixels, `view` in those of the page. */
  resize(size: Size, view: Size): void {
    this.ratio = { x: size.width / view.width, y: size.height / view.height };
    if (size.width !== this.canvas.width || size.height !== this.canvas.height) {
      this.canvas.width = size.width;
      this.canvas.height = size.height;
      this.band = new ImageData(Math.max(1, size.width), BAND);
      this.words = new Uint32Array(this.band.data.buffer);
    }
    this.place(this.placement);
  }

  place(placement: Placement): void {
    this.placement = placement;
    this.isStale = true;
  }

  show(preview: Pixels | null): void {
    if (this.preview) this.change(this.preview.rect);
    this.preview = preview;
    if (preview) this.change(preview.rect);
  }

  /** A rectangle of the image changed; null: all of it may have. */
  change(rect: Rect | null): void {
    if (rect) this.changed = join(this.changed, rect);
    else this.isStale = true;
  }

  /** Draw what changed. */
  draw(): void {
    const { painting, canvas } = this;
    if (!painting || canvas.width === 0 || canvas.height === 0) return;
    if (this.isStale) {
      this.findColumns(painting);
      this.context.clearRect(0, 0, canvas.width, canvas.height);
      this.drawRect(painting, { x: 0, y: 0, width: painting.width, height: painting.height });
    } else if (this.changed) {
      this.drawRect(painting, this.changed);
    }
    this.isStale = false;
    this.changed = null;
  }

  private findColumns(painting: Painting): void {
    const { scale, x } = this.placement;
    const count = this.canvas.width;
    if (this.columns.length !== count) this.columns = new Int32Array(count);
    for (let at = 0; at < count; at++) {
      const column = Math.floor(((at + 0.5) / this.ratio.x - x) / scale);
      this.columns[at] = Math.min(Math.max(column, 0), painting.width - 1);
    }
  }

  /** The pixels of the canvas whose centers are on a rectangle of the image. */
  private cover(rect: Rect): [left: number, top: number, right: number, bottom: number] {
    const { scale, x, y } = this.placement;
    const { width, height } = this.canvas;
    const across = (column: number): number => Math.ceil((column * scale + x) * this.ratio.x - 0.5);
    const down = (row: number): number => Math.ceil((row * scale + y) * this.ratio.y - 0.5);
    return [
      Math.max(0, across(rect.x)),
      Math.max(0, down(rect.y)),
      Math.min(width, across(rect.x + rect.width)),
      Math.min(height, down(rect.y + rect.height)),
    ];
  }

  private drawRect(painting: Painting, rect: Rect): void {
    const [left, top, right, bottom] = this.cover(rect);
    if (right <= left) return;
    for (let start = top; start < bottom; start += BAND) {
      const end = Math.min(bottom, start + BAND);
      this.drawBand(painting, left, right, start, end);
      this.context.putImageData(this.band, 0, start, left, 0, right - left, end - start);
    }
  }

  private drawBand(painting: Painting, left: number, right: number, top: number, bottom: number): void {
    const { words, columns, looks, preview, previewLook } = this;
    const { pixels, width, height } = painting;
    const stride = this.band.width;
    let before = -1;
    for (let row = top; row < bottom; row++) {
      const y = Math.min(Math.max(Math.floor(((row + 0.5) / this.ratio.y - this.placement.y) / this.placement.scale), 0), height - 1);
      const start = (row - top) * stride;
      if (y === before) {
        words.copyWithin(start + left, start - stride + left, start - stride + right);
        continue;
      }
      before = y;
      const line = y * width;
      for (let at = left; at < right; at++) words[start + at] = looks[pixels[line + columns[at]!]!]!;
      if (!preview || y < preview.rect.y || y >= preview.rect.y + preview.rect.height) continue;
      const { rect, bits } = preview;
      const inside = (y - rect.y) * rect.width - rect.x;
      for (let at = left; at < right; at++) {
        const x = columns[at]!;
        if (x >= rect.x && x < rect.x + rect.width && bits[inside + x]) words[start + at] = previewLook;
      }
    }
  }
}
