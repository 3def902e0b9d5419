/** Small charts, drawn as SVG. Each says in words what it shows. */
import { html, svg, type TemplateResult } from "lit";
import { formatCount, formatNumber, formatPercent, hueOf } from "./words";

const RADIUS = 45;
const AROUND = 2 * Math.PI * RADIUS;

/** A ring that is filled as far as a share in [0, 1]. */
export function drawRing(share: number, label: string): TemplateResult {
  const shown = Math.min(1, Math.max(0, share));
  return html`<svg class="ring" viewBox="0 0 100 100" role="img" aria-label=${label}>
    <circle class="track" cx="50" cy="50" r=${RADIUS}></circle>
    <circle class="filled" cx="50" cy="50" r=${RADIUS} transform="rotate(-90 50 50)"
      stroke-dasharray="${(shown * AROUND).toFixed(2)} ${AROUND.toFixed(2)}"></circle>
    <text x="50" y="51" text-anchor="middle" dominant-baseline="middle">${
      // Not 100 % before all is done.
      Math.floor(shown * 100)
    } %</text>
  </svg>`;
}

/** Bars of one height each, such as answers in each minute. */
export function drawColumns(
  values: readonly number[],
  label: string,
  marked: (index: number) => boolean = () => false,
): TemplateResult {
  const top = Math.max(1, ...values);
  const width = 100 / values.length;
  return html`<svg class="columns" viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${values.map((value, index) => {
      const height = value ? Math.max(1, (38 * value) / top) : 0.4;
      return svg`<rect class=${marked(index) ? "marked" : value ? "value" : "empty"}
        x=${(index * width + width * 0.1).toFixed(2)} y=${(40 - height).toFixed(2)}
        width=${(width * 0.8).toFixed(2)} height=${height.toFixed(2)}></rect>`;
    })}
  </svg>`;
}

/** A horizontal bar as long as a share in [0, 1]. */
export function drawBar(share: number, style: string): TemplateResult {
  return html`<svg class="bar-line ${style}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    <rect class="track" width="100" height="6" rx="1"></rect>
    <rect class="filled" width=${(100 * Math.min(1, Math.max(0, share))).toFixed(1)} height="6" rx="1"></rect>
  </svg>`;
}

export interface ClassCount {
  name: string;
  count: number;
}

/** A bar for each class, with its count. */
export function drawClasses(
  counts: readonly ClassCount[],
  link: (name: string) => string,
): TemplateResult {
  const top = Math.max(1, ...counts.map((item) => item.count));
  const all = counts.map((item) => item.name);
  const total = Math.max(1, counts.reduce((sum, item) => sum + item.count, 0));
  return html`<ul class="class-bars">
    ${counts.map(
      (item) => html`<li>
        <a href=${link(item.name)}>${item.name}</a>
        ${drawBar(item.count / top, hueOf(item.name, all))}
        <span class="number" title="${formatPercent(item.count / total)} of the labels">${formatNumber(item.count)}</span>
      </li>`,
    )}
  </ul>`;
}

/** How many labels have which confidence, those below a limit marked. */
export function drawConfidences(bins: readonly number[], below: number): TemplateResult {
  const total = bins.reduce((sum, count) => sum + count, 0);
  const label = `Confidence of ${formatCount(total, "label")}, from 0 to 1`;
  return html`<div class="with-axis">
    ${drawColumns(bins, label, (index) => (index + 0.5) / bins.length < below)}
    <div class="axis" aria-hidden="true"><span>0</span><span>0.5</span><span>1</span></div>
  </div>`;
}
