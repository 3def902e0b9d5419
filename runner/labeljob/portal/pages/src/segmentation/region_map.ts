/** A picture that is divided into regions, by a map that may be smaller than the picture. */
import type { Size } from "../elements/geometry";
import type { Point, Rect } from "./geometry";
import type { Run } from "./painting";
import type { Pixels } from "./tool";

const LIGHT = 0x70ffffff; // as canvases have it: opacity in the highest byte
const DARK = 0x58000000;

export class RegionMap {
  /** How many regions there are. */
  readonly count: number;
  // The runs of the map's pixels of region r are those from starts[r] to starts[r + 1]: each has its
  // row, its first column, and the column after its last.
  private readonly starts: Uint32Array;
  private readonly runs: Uint32Array;

  /**
   * @param map Size of the map.
   * @param numbers Region of each of the map's pixels, row by row.
   * @param size Size of the picture.
   */
  constructor(
    private readonly map: Size,
    private readonly numbers: Uint16Array,
    private readonly size: Size,
  ) {
    const { width, height } = map;
    if (numbers.length !== width * height) throw new Error("The superpixels cannot be read.");
    let count = 0;
    const sizes = new Uint32Array(65537);
    const forEachRun = (take: (region: number, y: number, start: number, end: number) => void): void => {
      for (let y = 0; y < height; y++) {
        let start = y * width;
        const last = start + width;
        while (start < last) {
          const region = numbers[start]!;
          let end = start + 1;
          while (end < last && numbers[end] === region) end++;
          take(region, y, start - y * width, end - y * width);
          start = end;
        }
      }
    };
    forEachRun((region) => {
      sizes[region]!++;
      count = Math.max(count, region + 1);
    });
    this.count = count;
    this.starts = new Uint32Array(count + 1);
    for (let region = 0; region < count; region++) this.starts[region + 1] = this.starts[region]! + sizes[region]!;
    const next = this.starts.slice();
    this.runs = new Uint32Array(3 * this.starts[count]!);
    forEachRun((region, y, start, end) => this.runs.set([y, start, end], 3 * next[region]!++));
  }

  /** Read what the server sends. */
  static read(content: ArrayBuffer, size: Size): RegionMap {
    const [width, height] = readWords(content, 2) as [number, number];
    return new RegionMap({ width, height }, new Uint16Array(content, 8), size);
  }

  /** The region at a point of the picture; null beside it. */
  at(point: Point): number | null {
    const x = Math.floor(point.x);
    const y = Math.floor(point.y);
    if (x < 0 || y < 0 || x >= this.size.width || y >= this.size.height) return null;
    const column = Math.floor(((x + 0.5) * this.map.width) / this.size.width);
    const row = Math.floor(((y + 0.5) * this.map.height) / this.size.height);
    return this.numbers[row * this.map.width + column]!;
  }

  /** The regions on the line between two points. */
  *between(from: Point, to: Point): Iterable<number> {
    const across = Math.hypot(
      ((to.x - from.x) * this.map.width) / this.size.width,
      ((to.y - from.y) * this.map.height) / this.size.height,
    );
    const steps = Math.max(1, Math.ceil(2 * across));
    let last: number | null = null;
    for (let step = 0; step <= steps; step++) {
      const share = step / steps;
      const region = this.at({ x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) });
      if (region !== null && region !== last) yield region;
      last = region;
    }
  }

  /** The picture's pixels of a region: those whose center is in it. */
  *runsOf(region: number): Iterable<Run> {
    const x = this.size.width / this.map.width;
    const y = this.size.height / this.map.height;
    for (let at = 3 * this.starts[region]!; at < 3 * this.starts[region + 1]!; at += 3) {
      const row = this.runs[at]!;
      const start = firstCenter(this.runs[at + 1]!, x);
      const end = firstCenter(this.runs[at + 2]!, x);
      for (let line = firstCenter(row, y); line < firstCenter(row + 1, y); line++) yield [line, start, end];
    }
  }

  /** The same pixels in their box. */
  pixelsOf(region: number): Pixels {
    const runs = [...this.runsOf(region)];
    const rect = surround(runs);
    const bits = new Uint8Array(rect.width * rect.height);
    for (const [y, start, end] of runs) {
      const row = (y - rect.y) * rect.width - rect.x;
      bits.fill(1, row + start, row + end);
    }
    return { rect, bits };
  }

  /** A picture of the borders between regions, which is see-through elsewhere. */
  async drawBorders(): Promise<Blob> {
    const { width, height } = this.map;
    const { numbers } = this;
    const image = new ImageData(width, height);
    const words = new Uint32Array(image.data.buffer);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        const region = numbers[at];
        if ((x > 0 && numbers[at - 1] !== region) || (y > 0 && numbers[at - width] !== region)) words[at] = DARK;
        else if ((x + 1 < width && numbers[at + 1] !== region) || (y + 1 < height && numbers[at + width] !== region)) words[at] = LIGHT;
      }
    }
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")!.putImageData(image, 0, 0);
    return canvas.convertToBlob();
  }
}

/** The first pixel whose center is not before a pixel of the map, when one of those has a size of theirs. */
function firstCenter(pixel: number, size: number): number {
  return Math.ceil(pixel * size - 0.5);
}

function surround(runs: readonly Run[]): Rect {
  let [left, right, top, bottom] = [Infinity, 0, Infinity, 0];
  for (const [y, start, end] of runs) {
    left = Math.min(left, start);
    right = Math.max(right, end);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The first numbers of what the server sent. */
export function readWords(content: ArrayBuffer, count: number): number[] {
  const view = new DataView(content);
  return Array.from({ length: count }, (_, at) => view.getUint32(4 * at, true));
}
