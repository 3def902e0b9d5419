/** The color of each label, in masks and on the screen. */
import type { Color } from "./png";

const FIRST: readonly Color[] = [
  "#2ca02c", "#1f77b4", "#ff7f0e", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
];
const WHITE: Color = "#ffffff"; // that of BACKGROUND
const GOLDEN_ANGLE = 137.508; // degrees; hues this far apart are never close to an earlier one for long

/**
 * One color for each label, no two alike and none white, which is BACKGROUND.
 *
 * @param wanted Colors that labels have already, such as in an earlier mask: they keep them.
 */
export function assignColors(labels: readonly string[], wanted: ReadonlyMap<string, Color> = new Map()): Color[] {
  const taken = new Set<Color>([WHITE]);
  const kept = labels.map((label) => {
    const color = wanted.get(label);
    if (color === undefined || taken.has(color)) return null;
    taken.add(color);
    return color;
  });
  return kept.map((color, at) => {
    if (color !== null) return color;
    for (let next = at; ; next++) {
      const other = FIRST[next] ?? makeColor(next);
      if (taken.has(other)) continue;
      taken.add(other);
      return other;
    }
  });
}

/** The color that has a number, beyond those of the list. */
function makeColor(number: number): Color {
  const hue = (number * GOLDEN_ANGLE) % 360;
  const lightness = [0.5, 0.35, 0.65][number % 3]!;
  const spread = 0.75 * Math.min(lightness, 1 - lightness);
  const channels = [0, 8, 4].map((offset) => {
    const turn = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - spread * Math.max(-1, Math.min(turn - 3, 9 - turn, 1))));
  });
  return `#${channels.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

/** The colors of a `labelMappings`, by label, as `#rrggbb` in lower case; white is none. */
export function readColors(mappings: unknown): Map<string, Color> {
  const colors = new Map<string, Color>();
  if (typeof mappings !== "object" || mappings === null) return colors;
  for (const [label, mapping] of Object.entries(mappings)) {
    const text = typeof mapping === "object" && mapping !== null && "color" in mapping ? String(mapping.color) : "";
    const color = text.trim().toLowerCase().replace(/^#(.)(.)(.)$/, "#$1$1$2$2$3$3");
    if (/^#[0-9a-f]{6}$/.test(color) && color !== WHITE) colors.set(label, color);
  }
  return colors;
}

/** Red, green and blue, 0 to 255. */
export function toChannels(color: Color): [red: number, green: number, blue: number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
