/** What a painting was before each of its steps: tiles of pixels, run-length coded. */
import { join, type Rect } from "./geometry";

const TILE_BITS = 7;
const TILE = 1 << TILE_BITS;
/** About what a browser spends on a small array and its place in a map. */
const TILE_OVERHEAD = 200;

/** Bytes of the run of a whole tile. */
const LONGEST_RUN = 4;

/** Some tiles of the picture, as they were at one time. */
type Step = Map<number, Uint8Array>;

export class History {
  private readonly columns: number;
  private readonly isKept: Uint8Array;
  private readonly buffer = new Uint8Array(TILE * TILE);
  private current: Step | null = null;
  /** Those before `position` hold what was before them, the others what was after. */
  private readonly steps: Step[] = [];
  private position = 0;
  private bytes = 0;

  /**
   * @param counts Pixels of each class; kept right when pixels are put back.
   * @param limit Bytes that all steps may take; the oldest go first, the newest never.
   */
  constructor(
    private readonly pixels: Uint8Array,
    private readonly counts: Uint32Array,
    private readonly width: number,
    private readonly height: number,
    private readonly limit: number,
  ) {
    this.columns = Math.ceil(width / TILE);
    this.isKept = new Uint8Array(this.columns * Math.ceil(height / TILE));
  }

  get isUnderWay(): boolean {
    return this.current !== null;
  }

  get canUndo(): boolean {
    return !this.current && this.position > 0;
  }

  get canRedo(): boolean {
    return !this.current && this.position < this.steps.length;
  }

  begin(): void {
    this.current = new Map();
  }

  /** Keep the tiles with columns `start` to `end` - 1 of a row; call it before these change. */
  keep(y: number, start: number, end: number): void {
    const first = (y >> TILE_BITS) * this.columns;
    const last = first + ((end - 1) >> TILE_BITS);
    for (let tile = first + (start >> TILE_BITS); tile <= last; tile++) {
      if (this.isKept[tile]) continue;
      this.isKept[tile] = 1;
      this.current!.set(tile, this.encode(tile));
    }
  }

  /** End the step under way; gives whether it changed a pixel. */
  end(): boolean {
    const step = this.close();
    const isChanged = [...step].some(([tile, before]) => !areEqual(before, this.encode(tile)));
    if (!isChanged) return false;
    for (const undone of this.steps.splice(this.position)) this.bytes -= sizeOf(undone);
    this.steps.push(step);
    this.bytes += sizeOf(step);
    while (this.bytes > this.limit && this.steps.length > 1) this.bytes -= sizeOf(this.steps.shift()!);
    this.position = this.steps.length;
    return true;
  }

  /** Put back what the step under way changed. */
  cancel(): Rect | null {
    let changed: Rect | null = null;
    for (const [tile, before] of this.close()) changed = join(changed, this.put(tile, before));
    return changed;
  }

  undo(): Rect | null {
    return this.exchange(this.steps[--this.position]!);
  }

  redo(): Rect | null {
    return this.exchange(this.steps[this.position++]!);
  }

  private close(): Step {
    const step = this.current!;
    this.current = null;
    for (const tile of step.keys()) this.isKept[tile] = 0;
    return step;
  }

  /** Put back the tiles of a step, and keep in it what is there now. */
  private exchange(step: Step): Rect | null {
    let changed: Rect | null = null;
    this.bytes -= sizeOf(step);
    for (const [tile, other] of step) {
      step.set(tile, this.encode(tile));
      changed = join(changed, this.put(tile, other));
    }
    this.bytes += sizeOf(step);
    return changed;
  }

  private bounds(tile: number): Rect {
    const x = (tile % this.columns) << TILE_BITS;
    const y = Math.floor(tile / this.columns) << TILE_BITS;
    return { x, y, width: Math.min(TILE, this.width - x), height: Math.min(TILE, this.height - y) };
  }

  /** A tile's runs, each a class and a length in 7-bit digits; its pixels where these are no more bytes. */
  private encode(tile: number): Uint8Array {
    const rect = this.bounds(tile);
    const area = rect.width * rect.height;
    const { pixels, buffer } = this;
    let cls = pixels[rect.y * this.width + rect.x]!;
    let length = 0;
    let used = 0;
    for (let y = 0; y < rect.height; y++) {
      let at = (rect.y + y) * this.width + rect.x;
      for (const end = at + rect.width; at < end; ) {
        const start = at;
        while (at < end && pixels[at] === cls) at++;
        length += at - start;
        if (at === end) break;
        used = writeRun(buffer, used, cls, length);
        if (used + LONGEST_RUN >= area) return this.copy(rect);
        cls = pixels[at]!;
        length = 0;
      }
    }
    used = writeRun(buffer, used, cls, length);
    return used < area ? buffer.slice(0, used) : this.copy(rect);
  }

  private copy(rect: Rect): Uint8Array {
    const copy = new Uint8Array(rect.width * rect.height);
    for (let y = 0; y < rect.height; y++) {
      const at = (rect.y + y) * this.width + rect.x;
      copy.set(this.pixels.subarray(at, at + rect.width), y * rect.width);
    }
    return copy;
  }

  /** The pixels that `encode` was given; good until the next call. */
  private decode(bytes: Uint8Array, area: number): Uint8Array {
    if (bytes.length === area) return bytes;
    let used = 0;
    for (let at = 0; at < bytes.length; ) {
      const cls = bytes[at++]!;
      let length = 0;
      for (let shift = 0; ; shift += 7) {
        const digit = bytes[at++]!;
        length |= (digit & 127) << shift;
        if (digit < 128) break;
      }
      this.buffer.fill(cls, used, used + length);
      used += length;
    }
    return this.buffer;
  }

  private put(tile: number, bytes: Uint8Array): Rect | null {
    const { pixels, counts } = this;
    const rect = this.bounds(tile);
    const source = this.decode(bytes, rect.width * rect.height);
    let [left, right, top, bottom] = [rect.width, -1, -1, -1];
    for (let y = 0, from = 0; y < rect.height; y++) {
      let at = (rect.y + y) * this.width + rect.x;
      for (let x = 0; x < rect.width; x++, at++, from++) {
        const before = pixels[at]!;
        const after = source[from]!;
        if (before === after) continue;
        counts[before]!--;
        counts[after]!++;
        pixels[at] = after;
        if (x < left) left = x;
        if (x > right) right = x;
        if (top < 0) top = y;
        bottom = y;
      }
    }
    if (top < 0) return null;
    return { x: rect.x + left, y: rect.y + top, width: right - left + 1, height: bottom - top + 1 };
  }
}

function writeRun(buffer: Uint8Array, at: number, cls: number, length: number): number {
  buffer[at++] = cls;
  for (; length > 127; length >>= 7) buffer[at++] = 128 | (length & 127);
  buffer[at++] = length;
  return at;
}

function sizeOf(step: Step): number {
  let bytes = 0;
  for (const tile of step.values()) bytes += tile.length + TILE_OVERHEAD;
  return bytes;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
