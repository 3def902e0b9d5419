/** Numbers, times and states in words. */

export function formatNumber(value: number): string {
  return value.toLocaleString("en");
}

export function formatCount(value: number, word: string): string {
  return `${formatNumber(value)} ${word}${value === 1 ? "" : "s"}`;
}

export function formatPercent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
}

export const STATES: Record<string, string> = {
  running: "Running",
  paused: "Paused",
  finished: "Finished",
};

export const STATUSES: Record<string, string> = {
  consensus: "labeled",
  "low-confidence": "unsure",
  tie: "tie",
  "single-annotator": "one answer",
  "no-usable-answer": "no usable answer",
  "not-processed": "not processed",
};

/** Name of the style that gives a class its color; colors repeat after twelve classes. */
export function hueOf(name: string, classes: readonly string[]): string {
  const index = classes.indexOf(name);
  return index < 0 ? "hue-none" : `hue-${index % 12}`;
}

/** Give classes the colors that they have in masks. */
export function useColors(colors: readonly string[]): void {
  colors.forEach((color, at) => document.documentElement.style.setProperty(`--hue-${at}`, color));
}

/** Up to two letters that stand for a person. */
export function initials(name: string): string {
  const parts = name.replace(/@.*/, "").split(/[\s._-]+/).filter(Boolean);
  return parts.slice(0, 2).map((part) => [...part][0] ?? "").join("").toUpperCase() || "?";
}
