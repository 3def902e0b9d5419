/** What the portal's server computes of an image that it sends: superpixels, and objects. */
import type { Size } from "../elements/geometry";
import type { Point } from "./geometry";
import { readWords, RegionMap } from "./region_map";
import type { Pixels } from "./tool";

/** What the server can do with an image. */
export interface Help {
  /** About how many superpixels an image may be divided into. */
  superpixels: number[];
  /** What finds objects by four points. */
  extremePoints: string;
}

const ELSEWHERE = "Only for images that the labeling portal sends";
const OUT_OF_REACH = "The portal cannot be reached. Try again in a moment.";

let asked: { src: string; help: Promise<Help> } | null = null;

/** Ask what can be done with an image; rejects with a text for the worker if nothing can. */
export function askHelp(src: string): Promise<Help> {
  if (asked?.src !== src) {
    const help = ask(src, "tools").then((response) => response.json() as Promise<Help>);
    asked = { src, help };
    help.catch(() => {
      if (asked?.help === help) asked = null; // the next image of this address may have it
    });
  }
  return asked!.help;
}

/** The image's superpixels; rejects with a text for the worker. */
export async function loadRegions(src: string, count: number, size: Size, signal: AbortSignal): Promise<RegionMap> {
  const response = await ask(src, `superpixels/${count}`, signal);
  return RegionMap.read(await response.arrayBuffer(), size);
}

/** The object whose extreme points are given; rejects with a text for the worker. */
export async function findObject(src: string, points: readonly Point[], signal: AbortSignal): Promise<Pixels> {
  const words = points.flatMap(({ x, y }) => [x.toFixed(2), y.toFixed(2)]).join(",");
  const response = await ask(src, `object?points=${words}`, signal);
  const content = await response.arrayBuffer();
  const [x, y, width, height] = readWords(content, 4) as [number, number, number, number];
  return { rect: { x, y, width, height }, bits: new Uint8Array(content, 16) };
}

/** What went wrong, for the worker. */
export function readMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function ask(src: string, path: string, signal?: AbortSignal): Promise<Response> {
  const address = new URL(src, document.baseURI);
  if (!/^\/files\/[^/]+$/.test(address.pathname)) throw new Error(ELSEWHERE);
  const response = await fetch(`${address.origin}${address.pathname}/${path}`, { signal: signal ?? null }).catch(
    (error: unknown) => {
      if (signal?.aborted) throw error;
      throw new Error(OUT_OF_REACH);
    },
  );
  if (!response.ok) {
    const isOurs = response.headers.get("content-type")?.startsWith("text/plain");
    throw new Error(isOurs ? await response.text() : ELSEWHERE);
  }
  return response;
}
