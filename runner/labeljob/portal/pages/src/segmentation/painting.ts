/** The class of each pixel of a picture, what paints over it, and the way back. */
import { type Point, type Rect } from "./geometry";
import { History } from "./history";

/** Class of pixels that nobody painted. */
export const BACKGROUND = 0;
const HISTORY_BYTES = 64 << 20;

/** Row, first column, and the column after the last. */
export type Run = readonly [y: number, start: number, end: number];

/**
 * One class per pixel of a picture.
 *
 * What paints gives the rectangle of pixels that it changed, null if none. It is a step of its own,
 * or a part of the step between `begin` and `end`.
 */
export class Painting {
  readonly pixels: Uint8Array;
  /** Paint over BACKGROUND alone. Class BACKGROUND itself, the eraser, is not held by it. */
  onlyBackground = false;
  /** Grows with every change. */
  revision = 0;

  private readonly counts = new Uint32Array(256);
  private readonly history: History;
  // The rectangle that the shape under way changed.
  private left = 0;
  private right = 0;
  private top = 0;
  private bottom = 0;

  /**
   * @param pixels Row by row; taken over, not copied. All are BACKGROUND without it.
   * @param historyBytes What undo and redo may take; the oldest steps go first.
   */
  constructor(
    readonly width: number,
    readonly height: number,
    pixels?: Uint8Array,
    historyBytes = HISTORY_BYTES,
  ) {
    this.pixels = pixels ?? new Uint8Array(width * height);
    if (this.pixels.length !== width * height) throw new RangeError(`The mask is not ${width} x ${height} pixels.`);
    if (!pixels) this.counts[BACKGROUND] = width * height;
    else for (const cls of pixels) this.counts[cls]!++;
    this.history = new History(this.pixels, this.counts, width, height, historyBytes);
  }

  /** Begin a step; one that is under way ends. */
  begin(): void {
    this.end();
    this.history.begin();
  }

  /** End the step; gives whether it changed anything. If not, it is none. */
  end(): boolean {
    return this.history.isUnderWay && this.history.end();
  }

  /** Put back what the step under way changed; it is none. */
  cancel(): Rect | null {
    return this.history.isUnderWay ? this.note(this.history.cancel()) : null;
  }

  /** False also while a step is under way. */
  get canUndo(): boolean {
    return this.history.canUndo;
  }

  /** False also while a step is under way. */
  get canRedo(): boolean {
    return this.history.canRedo;
  }

  undo(): Rect | null {
    return this.canUndo ? this.note(this.history.undo()) : null;
  }

  redo(): Rect | null {
    return this.canRedo ? this.note(this.history.redo()) : null;
  }

  /** Paint the pixels whose center is at most `radius` from the line between two points. */
  stroke(from: Point, to: Point, radius: number, cls: number): Rect | null {
    if (![from.x, from.y, to.x, to.y, radius].every(Number.isFinite) || radius < 0) return null;
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    const squared = dx * dx + dy * dy;
    const reach = radius * Math.sqrt(squared);
    return this.shape(() => {
      const [start, end] = this.rowsBetween(Math.min(from.y, to.y) - radius, Math.max(from.y, to.y) + radius);
      for (let y = start; y < end; y++) {
        // The line through the centers of the row cuts a disk at each end, and a rectangle between.
        let left = Infinity;
        let right = -Infinity;
        for (const center of [from, to]) {
          const away = y + 0.5 - center.y;
          if (Math.abs(away) > radius) continue;
          const half = Math.sqrt(radius * radius - away * away);
          left = Math.min(left, center.x - half);
          right = Math.max(right, center.x + half);
        }
        const away = y + 0.5 - from.y;
        const along = between(dx, -away * dy, squared - away * dy);
        const across = between(dy, away * dx - reach, away * dx + reach);
        const first = Math.max(along[0], across[0]);
        const last = Math.min(along[1], across[1]);
        if (squared > 0 && first <= last) {
          left = Math.min(left, from.x + first);
          right = Math.max(right, from.x + last);
        }
        this.row(y, Math.ceil(left - 0.5), Math.floor(right - 0.5) + 1, cls);
      }
    });
  }

  /** Paint the pixels whose center is inside a polygon by the even-odd rule. */
  polygon(points: readonly Point[], cls: number): Rect | null {
    if (!points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))) return null;
    // Each edge from its upper end to its lower; a center on an edge belongs to what is right of it.
    const edges = points
      .map((point, at) => [point, points[(at + 1) % points.length]!] as const)
      .filter(([a, b]) => a.y !== b.y)
      .map(([a, b]) => (a.y < b.y ? { upper: a, lower: b } : { upper: b, lower: a }))
      .sort((a, b) => a.upper.y - b.upper.y);
    return this.shape(() => {
      const lowest = edges.reduce((y, { lower }) => Math.max(y, lower.y), -Infinity);
      const [start, end] = this.rowsBetween(edges[0]?.upper.y ?? 0, lowest);
      let active: typeof edges = [];
      let next = 0;
      for (let y = start; y < end; y++) {
        const center = y + 0.5;
        while (next < edges.length && edges[next]!.upper.y <= center) active.push(edges[next++]!);
        active = active.filter(({ lower }) => lower.y > center);
        const crossings = active
          .map(({ upper, lower }) => upper.x + ((center - upper.y) * (lower.x - upper.x)) / (lower.y - upper.y))
          .sort((a, b) => a - b);
        for (let at = 0; at + 1 < crossings.length; at += 2) {
          this.row(y, Math.ceil(crossings[at]! - 0.5), Math.ceil(crossings[at + 1]! - 0.5), cls);
        }
      }
    });
  }

  /** Paint the pixels whose center is between two corners. */
  rectangle(a: Point, b: Point, cls: number): Rect | null {
    return this.polygon([a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }], cls);
  }

  /** Paint the pixels of one class that hang together, side by side, with the one at a point. */
  fill(at: Point, cls: number): Rect | null {
    const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
    if (!this.isInside(x, y)) return null;
    const { pixels, width, height } = this;
    const target = pixels[y * width + x]!;
    if (target === cls || !this.canPaintOver(target, cls)) return null;
    return this.shape(() => {
      const seeds = [y * width + x];
      for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) {
        if (pixels[seed] !== target) continue;
        const row = Math.floor(seed / width);
        const [first, last] = [row * width, (row + 1) * width];
        let start = seed;
        let end = seed + 1;
        while (start > first && pixels[start - 1] === target) start--;
        while (end < last && pixels[end] === target) end++;
        this.row(row, start - first, end - first, cls);
        for (const other of [row - 1, row + 1]) {
          if (other < 0 || other >= height) continue;
          const shift = (other - row) * width;
          for (let near = start + shift; near < end + shift; near++) {
            const begins = near === start + shift || pixels[near - 1] !== target;
            if (begins && pixels[near] === target) seeds.push(near);
          }
        }
      }
    });
  }

  /** Paint runs of pixels; what is outside the picture is left out. */
  runs(runs: Iterable<Run>, cls: number): Rect | null {
    return this.shape(() => {
      for (const [y, start, end] of runs) if (y >= 0 && y < this.height) this.row(y, start, end, cls);
    });
  }

  /** Put another mask in place of the whole, whatever `onlyBackground` says. */
  replace(pixels: Uint8Array): Rect | null {
    if (pixels.length !== this.pixels.length) throw new RangeError("The mask has another size.");
    const { onlyBackground, width } = this;
    this.onlyBackground = false;
    const changed = this.shape(() => {
      for (let y = 0; y < this.height; y++) {
        const first = y * width;
        for (let start = 0, end = 0; start < width; start = end) {
          const cls = pixels[first + start]!;
          while (end < width && pixels[first + end] === cls) end++;
          this.row(y, start, end, cls);
        }
      }
    });
    this.onlyBackground = onlyBackground;
    return changed;
  }

  /** BACKGROUND outside the picture. */
  classAt(at: Point): number {
    const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
    return this.isInside(x, y) ? this.pixels[y * this.width + x]! : BACKGROUND;
  }

  /** Number of pixels of each of 256 classes. */
  countByClass(): Uint32Array {
    return this.counts.slice();
  }

  private isInside(x: number, y: number): boolean {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  private canPaintOver(before: number, cls: number): boolean {
    return before === BACKGROUND || cls === BACKGROUND || !this.onlyBackground;
  }

  /** The rows of the picture whose centers are between two heights: the first, and the one after the last. */
  private rowsBetween(top: number, bottom: number): [number, number] {
    return [Math.max(0, Math.ceil(top - 0.5)), Math.min(this.height, Math.floor(bottom - 0.5) + 1)];
  }

  /** Paint with `row`, as a step unless one is under way. */
  private shape(paint: () => void): Rect | null {
    const isStep = !this.history.isUnderWay;
    if (isStep) this.history.begin();
    [this.left, this.top, this.right, this.bottom] = [this.width, this.height, 0, 0];
    paint();
    if (isStep) this.history.end();
    if (this.right === 0) return null;
    const { left, top } = this;
    return this.note({ x: left, y: top, width: this.right - left, height: this.bottom - top });
  }

  private note(changed: Rect | null): Rect | null {
    if (changed) this.revision++;
    return changed;
  }

  /** Paint columns `start` to `end` - 1 of a row of the picture. */
  private row(y: number, start: number, end: number, cls: number): void {
    const { pixels, counts } = this;
    const first = y * this.width;
    let from = first + Math.max(0, start);
    let to = first + Math.min(this.width, end);
    const isHeld = this.onlyBackground && cls !== BACKGROUND;
    while (from < to && (pixels[from] === cls || (isHeld && pixels[from] !== BACKGROUND))) from++;
    while (to > from && (pixels[to - 1] === cls || (isHeld && pixels[to - 1] !== BACKGROUND))) to--;
    if (from >= to) return;
    this.history.keep(y, from - first, to - first);
    for (let at = from; at < to; at++) {
      const before = pixels[at]!;
      if (before === cls || (isHeld && before !== BACKGROUND)) continue;
      counts[before]!--;
      counts[cls]!++;
      pixels[at] = cls;
    }
    this.left = Math.min(this.left, from - first);
    this.right = Math.max(this.right, to - first);
    this.top = Math.min(this.top, y);
    this.bottom = Math.max(this.bottom, y + 1);
  }
}

/** The numbers whose product with `factor` is from `low` to `high`. */
function between(factor: number, low: number, high: number): [number, number] {
  if (factor === 0) return low <= 0 && high >= 0 ? [-Infinity, Infinity] : [Infinity, -Infinity];
  return factor > 0 ? [low / factor, high / factor] : [high / factor, low / factor];
}
