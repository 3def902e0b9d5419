/** Masks as PNG files: written with one palette entry per class, read exactly, pixel for pixel. */

import { compressRuns } from "./deflate";
import { BACKGROUND } from "./painting";

/** `#rrggbb` */
export type Color = string;

/** What a PNG shows: `rgba`, four bytes a pixel, or `indices` into a palette of such colors. */
export type Picture = { width: number; height: number } & (
  | { rgba: Uint8Array; indices?: never; palette?: never }
  | { rgba?: never; indices: Uint8Array; palette: Uint8Array }
);

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const WHITE: Color = "#ffffff";
const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const RGBA = 6;
const CHANNELS: Record<number, number> = { [GREY]: 1, [RGB]: 3, [PALETTE]: 1, [GREY_ALPHA]: 2, [RGBA]: 4 };
const [SUB, UP, AVERAGE, PAETH] = [1, 2, 3, 4];
/** More are refused: they would fill the browser's memory. */
const MOST_PIXELS = 1 << 28;
const BASE64_PIECE = 1 << 13;
const PIECE = 1 << 18;
/** Milliseconds for which a mask is written before the page gets its turn. */
const TURN = 6;

/**
 * A mask as PNG of 8 bits and a palette, whose pixels are its classes.
 *
 * @param pixels Class of each pixel, row by row. They may change while this is under way.
 * @param colors Those of classes 1, 2 and so on; class 0, BACKGROUND, is white.
 */
export async function encodeMask(
  pixels: Uint8Array,
  width: number,
  height: number,
  colors: readonly Color[],
): Promise<Uint8Array> {
  const steady = pixels.slice();
  const stream = new CompressionStream("deflate");
  const compressed = collect(stream.readable);
  const writer = stream.writable.getWriter();
  let since = performance.now();
  const rows = Math.max(1, Math.floor(PIECE / width));
  for (let first = 0; first < height; first += rows) {
    await writer.write(filterRows(steady, width, first, Math.min(height, first + rows)));
    if (performance.now() - since < TURN) continue;
    await nextTask();
    since = performance.now();
  }
  await writer.close();
  return join(width, height, colors, await compressed);
}

/** The same at once, in a file that is some times larger. */
export function encodeMaskNow(pixels: Uint8Array, width: number, height: number, colors: readonly Color[]): Uint8Array {
  return join(width, height, colors, compressRuns(filterRows(pixels, width, 0, height)));
}

/** Rows `first` to `end` - 1, each as its difference from the one above, with the filter's number before it. */
function filterRows(pixels: Uint8Array, width: number, first: number, end: number): Uint8Array<ArrayBuffer> {
  const lines = new Uint8Array((end - first) * (width + 1));
  let to = 0;
  for (let y = first; y < end; y++) {
    let at = y * width;
    lines[to++] = UP;
    if (y === 0) {
      lines.set(pixels.subarray(0, width), to);
      to += width;
      continue;
    }
    for (const stop = at + width; at < stop; at++) lines[to++] = pixels[at]! - pixels[at - width]!;
  }
  return lines;
}

/** A file of compressed rows. */
function join(width: number, height: number, colors: readonly Color[], data: Uint8Array): Uint8Array {
  const header = Uint8Array.of(...bigEndian(width), ...bigEndian(height), 8, PALETTE, 0, 0, 0);
  const palette = Uint8Array.from([WHITE, ...colors].flatMap(channels));
  return concat([
    Uint8Array.from(SIGNATURE),
    ...chunk("IHDR", header),
    ...chunk("PLTE", palette),
    ...chunk("IDAT", data),
    ...chunk("IEND", new Uint8Array()),
  ]);
}

function channels(color: Color): number[] {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

function chunk(kind: string, data: Uint8Array): Uint8Array[] {
  const name = Uint8Array.from(kind, (letter) => letter.charCodeAt(0));
  const crc = ~updateCrc(updateCrc(~0, name), data);
  return [bigEndian(data.length), name, data, bigEndian(crc)];
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

function updateCrc(crc: number, bytes: Uint8Array): number {
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return crc;
}

function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
  return concat(parts);
}

/** Let the page take its turn: what it is asked for meanwhile, and a picture on the screen. */
function nextTask(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A PNG's chunks, as far as they matter. */
interface File {
  width: number;
  height: number;
  /** Bits of a channel. */
  depth: number;
  type: number;
  /** Red, green and blue of each entry. */
  colors: Uint8Array;
  /** Alpha of each palette entry, or the channels of the one color that is transparent. */
  transparency: Uint8Array;
  data: Uint8Array<ArrayBuffer>[];
}

/**
 * Read a PNG that is not interlaced and has at most 8 bits a channel. Colors are as stored: no profile
 * or gamma changes them. Greys become a palette.
 *
 * @throws An `Error` whose message says why the file cannot be read.
 */
export async function decodePng(bytes: Uint8Array): Promise<Picture> {
  const file = readChunks(bytes);
  const { width, height, type } = file;
  if (type === PALETTE || type === GREY) {
    const indices = new Uint8Array(width * height);
    await eachRow(file, (row, y) => unpack(row, file.depth, indices.subarray(y * width, (y + 1) * width)));
    return { width, height, indices, palette: type === GREY ? greys(file) : entries(file) };
  }
  const rgba = new Uint8Array(4 * width * height);
  const copyRow = { [RGB]: copyRgb, [GREY_ALPHA]: copyGreyAlpha, [RGBA]: copyRgba }[type]!;
  await eachRow(file, (row, y) => copyRow(row, rgba.subarray(4 * y * width, 4 * (y + 1) * width), file));
  return { width, height, rgba };
}

/**
 * The class of each pixel of a picture: that of its very color, BACKGROUND if it has none or the pixel
 * is fully transparent.
 *
 * @param classes Class of each color; `#rrggbb` in lower case.
 * @param strange Takes the number of pixels of each color, as 0xrrggbb, that has no class and is not white.
 */
export function toClasses(
  picture: Picture,
  classes: ReadonlyMap<Color, number>,
  strange?: Map<number, number>,
): Uint8Array {
  const byNumber = new Map([[WHITE, BACKGROUND] as const, ...classes].map(([color, cls]) => [toNumber(color), cls]));
  /** The class of a color; undefined if it has none. */
  const find = (colors: Uint8Array, at: number): number | undefined =>
    colors[at + 3] === 0 ? BACKGROUND : byNumber.get(numberAt(colors, at));
  const count = (colors: Uint8Array, at: number, pixels: number): void => {
    const color = numberAt(colors, at);
    strange?.set(color, (strange.get(color) ?? 0) + pixels);
  };
  const { rgba, indices, palette, width, height } = picture;
  const pixels = new Uint8Array(width * height);
  if (indices) {
    const counts = new Uint32Array(256);
    const table = new Uint8Array(256);
    for (let at = 0; at < palette.length; at += 4) table[at / 4] = find(palette, at) ?? BACKGROUND;
    for (let at = 0; at < pixels.length; at++) {
      const index = indices[at]!;
      pixels[at] = table[index]!;
      counts[index]!++;
    }
    for (let at = 0; at < palette.length; at += 4) {
      if (counts[at / 4] && find(palette, at) === undefined) count(palette, at, counts[at / 4]!);
    }
    return pixels;
  }
  const words = new Uint32Array(rgba.buffer, rgba.byteOffset, pixels.length);
  for (let at = 0; at < pixels.length; ) {
    const start = at;
    while (at < pixels.length && words[at] === words[start]) at++;
    const cls = find(rgba, 4 * start);
    if (cls === undefined) count(rgba, 4 * start, at - start);
    else pixels.fill(cls, start, at);
  }
  return pixels;
}

function toNumber(color: Color): number {
  return parseInt(color.slice(1), 16);
}

function numberAt(colors: Uint8Array, at: number): number {
  return (colors[at]! << 16) | (colors[at + 1]! << 8) | colors[at + 2]!;
}

function readChunks(bytes: Uint8Array): File {
  if (SIGNATURE.some((byte, at) => bytes[at] !== byte)) throw new Error("This is not a PNG.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: { kind: string; data: Uint8Array<ArrayBuffer> }[] = [];
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    chunks.push({ kind, data: bytes.slice(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  const find = (kind: string): Uint8Array => chunks.find((chunk) => chunk.kind === kind)?.data ?? new Uint8Array();
  const header = find("IHDR");
  if (header.length !== 13) throw new Error("The PNG has no header.");
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, type, , , isInterlaced] = header.subarray(8) as unknown as [number, number, number, number, number];
  if (isInterlaced) throw new Error("Interlaced PNG files cannot be read.");
  const isPacked = type === GREY || type === PALETTE;
  if (!(type in CHANNELS) || !(depth === 8 || (isPacked && [1, 2, 4].includes(depth)))) {
    throw new Error(`PNG files of color type ${type} with ${depth} bits cannot be read.`);
  }
  if (!width || !height || width * height > MOST_PIXELS) throw new Error(`The PNG has ${width} x ${height} pixels.`);
  if (type === PALETTE && !find("PLTE").length) throw new Error("The PNG has no palette.");
  const data = chunks.filter(({ kind }) => kind === "IDAT").map((chunk) => chunk.data);
  return { width, height, depth, type, colors: find("PLTE"), transparency: find("tRNS"), data };
}

/** Take a file's rows as they come out of its compressed data. A row is good until the next. */
async function eachRow(file: File, take: (row: Uint8Array, y: number) => void): Promise<void> {
  const bits = CHANNELS[file.type]! * file.depth;
  const length = Math.ceil((file.width * bits) / 8);
  let line = new Uint8Array(1 + length);
  let above = new Uint8Array(length);
  let used = 0;
  let y = 0;
  const reader = new Blob(file.data).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  while (y < file.height) {
    const { value: part } = await reader.read().catch(() => {
      throw new Error("The PNG's pixels cannot be decompressed.");
    });
    if (!part) throw new Error("The PNG ends before its last row.");
    for (let at = 0; at < part.length && y < file.height; ) {
      const more = part.subarray(at, at + line.length - used);
      line.set(more, used);
      at += more.length;
      used += more.length;
      if (used < line.length) break;
      const row = line.subarray(1);
      restore(row, above, Math.ceil(bits / 8), line[0]!);
      take(row, y++);
      above.set(row);
      used = 0;
    }
  }
  void reader.cancel().catch(() => undefined);
}

/** Undo a row's filter. */
function restore(row: Uint8Array, above: Uint8Array, step: number, filter: number): void {
  if (filter > PAETH) throw new Error(`The PNG has a row of the unknown filter ${filter}.`);
  if (filter === 0) return;
  for (let at = 0; at < row.length; at++) {
    const left = at < step ? 0 : row[at - step]!;
    const up = above[at]!;
    if (filter === SUB) row[at]! += left;
    else if (filter === UP) row[at]! += up;
    else if (filter === AVERAGE) row[at]! += (left + up) >> 1;
    else row[at]! += paeth(left, up, at < step ? 0 : above[at - step]!);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function unpack(row: Uint8Array, depth: number, indices: Uint8Array): void {
  if (depth === 8) return indices.set(row);
  const perByte = 8 / depth;
  const mask = (1 << depth) - 1;
  for (let x = 0; x < indices.length; x++) {
    indices[x] = (row[Math.floor(x / perByte)]! >> (8 - depth * (1 + (x % perByte)))) & mask;
  }
}

function copyRgb(row: Uint8Array, rgba: Uint8Array, { transparency }: File): void {
  const [, red, , green, , blue] = transparency;
  for (let from = 0, to = 0; from < row.length; from += 3, to += 4) {
    const [r, g, b] = [row[from]!, row[from + 1]!, row[from + 2]!];
    rgba[to] = r;
    rgba[to + 1] = g;
    rgba[to + 2] = b;
    rgba[to + 3] = r === red && g === green && b === blue ? 0 : 255;
  }
}

function copyGreyAlpha(row: Uint8Array, rgba: Uint8Array): void {
  for (let from = 0, to = 0; from < row.length; from += 2, to += 4) {
    rgba[to] = rgba[to + 1] = rgba[to + 2] = row[from]!;
    rgba[to + 3] = row[from + 1]!;
  }
}

function copyRgba(row: Uint8Array, rgba: Uint8Array): void {
  rgba.set(row);
}

/** The palette that a file has. */
function entries({ colors, transparency }: File): Uint8Array {
  const palette = new Uint8Array((4 * colors.length) / 3);
  for (let at = 0; 4 * at < palette.length; at++) {
    palette.set(colors.subarray(3 * at, 3 * at + 3), 4 * at);
    palette[4 * at + 3] = transparency[at] ?? 255;
  }
  return palette;
}

/** The palette that greys stand for. */
function greys({ depth, transparency }: File): Uint8Array {
  const largest = (1 << depth) - 1;
  const levels = Array.from({ length: largest + 1 }, (_, at) => {
    const grey = (at * 255) / largest;
    return [grey, grey, grey, at === transparency[1] ? 0 : 255];
  });
  return Uint8Array.from(levels.flat());
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += BASE64_PIECE) {
    text += String.fromCharCode(...bytes.subarray(at, at + BASE64_PIECE));
  }
  return btoa(text);
}

/** @throws If it is not base64. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
