/** The `overlay` of `crowd-image-classifier`: labels of an earlier job, to be judged. */
import { svg, type SVGTemplateResult } from "lit";

const PALETTE = ["#2ca02c", "#1f77b4", "#ff7f0e", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf"];

export class Box {
  constructor(
    private readonly left: number,
    private readonly top: number,
    private readonly width: number,
    private readonly height: number,
    private readonly color: string,
  ) {}

  render(): SVGTemplateResult {
    return svg`<rect x=${this.left} y=${this.top} width=${this.width} height=${this.height} stroke=${this.color}></rect>`;
  }
}

export interface Overlay {
  boxes: Box[];
  /** Address of an image that lies over the picture. */
  mask: string;
  /** Color of each label. */
  colors: Record<string, string>;
}

type Part = Record<string, unknown>;

function readPart(value: unknown): Part | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Part) : null;
}

/** Read boxes or a mask from the attribute's value; null when it holds neither. */
export function readOverlay(value: unknown): Overlay | null {
  const whole = readPart(value);
  const kinds = ["boundingBox", "semanticSegmentation", "instanceSegmentation"];
  const part = readPart(kinds.map((kind) => whole?.[kind]).find(Boolean));
  if (!part) return null;
  const colors: Record<string, string> = {};
  const colorOf = (label: string): string =>
    (colors[label] ??= PALETTE[Object.keys(colors).length % PALETTE.length] ?? "#1f77b4");
  for (const [label, mapping] of Object.entries(readPart(part["labelMappings"]) ?? {})) {
    const color = String(readPart(mapping)?.["color"] ?? "");
    if (CSS.supports("color", color)) colors[label] = color;
  }
  if (Array.isArray(part["labels"])) part["labels"].forEach((label) => colorOf(String(label)));
  const items = Array.isArray(part["value"]) ? part["value"].map(readPart) : [];
  const boxes = items.flatMap((item) => {
    const [left, top, width, height] = ["left", "top", "width", "height"].map((key) => Number(item?.[key]));
    if (![left, top, width, height].every(Number.isFinite)) return [];
    return [new Box(left!, top!, width!, height!, colorOf(String(item?.["label"] ?? "")))];
  });
  return { boxes, mask: typeof part["src"] === "string" ? part["src"] : "", colors };
}

/** A mask to lie over a photograph: what is white in its file, BACKGROUND, is clear. */
export async function loadMask(src: string): Promise<HTMLCanvasElement> {
  const response = await fetch(src);
  if (!response.ok) throw new Error(`${response.status}`);
  const image = await createImageBitmap(await response.blob(), { premultiplyAlpha: "none", colorSpaceConversion: "none" });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(image, 0, 0);
  image.close();
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const words = new Uint32Array(pixels.data.buffer);
  const white = new Uint32Array(new Uint8Array([255, 255, 255, 255]).buffer)[0];
  for (let at = 0; at < words.length; at++) if (words[at] === white) words[at] = 0;
  context.putImageData(pixels, 0, 0);
  return canvas;
}
