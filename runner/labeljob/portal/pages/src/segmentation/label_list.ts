/** The labels to paint with, and how the mask and the photograph are shown. */
import { css, html, nothing, type TemplateResult } from "lit";
import type { Color } from "./png";
import type { Workbench } from "./workbench";

export const listStyle = css`
  .row { display: flex; gap: 0.3rem; align-items: stretch; flex: none; }
  .row .option { flex: 1; min-width: 0; }
  .row .option input { position: absolute; opacity: 0; }
  .row button { flex: none; padding: 0; border-color: transparent; background: none; }
  .row button[aria-pressed="false"] svg { opacity: 0.4; }
  .row svg { width: 1.35rem; height: 1.35rem; fill: none; stroke: currentColor; stroke-width: 1.6; }
  .swatch { flex: none; width: 1.35rem; height: 1.35rem; border: 1px solid var(--crowd-edge); border-radius: 0.35rem; }
  .filter { flex: none; margin-bottom: 0.5rem; }
  .only { display: flex; gap: 0.65rem; align-items: center; min-height: 2.5rem; flex: none; }
  .looks summary { cursor: pointer; min-height: 2.5rem; align-content: center; font-weight: 650; }
  .looks label { display: grid; grid-template-columns: 1fr auto; gap: 0 0.5rem; font-size: 0.9rem; padding-bottom: 0.4rem; overflow-wrap: anywhere; }
  .looks input { grid-column: 1 / 3; width: 100%; margin: 0; accent-color: var(--crowd-accent); }
  .looks { flex: none; }
`;

/** The list of labels; digits are the keys of those that are shown, 0 that of the background. */
export function renderLabels(
  bench: Workbench,
  labels: readonly string[],
  colors: readonly Color[],
  shown: readonly string[],
  disabled: boolean,
): TemplateResult {
  const row = (label: string, cls: number, key: string | undefined): TemplateResult => html`
    <div class="row">
      <label class="option">
        <input
          type="radio"
          name="label"
          aria-keyshortcuts=${key ?? nothing}
          .checked=${bench.cls === cls}
          ?disabled=${disabled}
          @change=${(event: Event): void => {
            event.stopPropagation();
            bench.chooseClass(cls);
          }}
        />
        <span class="swatch" style="background: ${colors[cls - 1] ?? "#ffffff"}"></span>
        <span class="name" dir="auto">${label}</span>
        ${key ? html`<span class="key" data-key=${key} aria-hidden="true"></span>` : nothing}
      </label>
      ${cls > 0 ? renderEye(bench, label) : nothing}
    </div>
  `;
  return html`
    ${shown.map((label, at) => row(label, labels.indexOf(label) + 1, at < 9 ? String(at + 1) : undefined))}
    ${row("Background: erases", 0, "0")}
  `;
}

function renderEye(bench: Workbench, label: string): TemplateResult {
  const isShown = !bench.looks.isHidden && !bench.looks.hidden.has(label);
  return html`
    <button
      aria-pressed=${isShown ? "true" : "false"}
      aria-label="Show ${label}"
      title=${isShown ? "Hide" : "Show"}
      @click=${(): void => bench.showLabel(label, !isShown)}
    >
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d="M2 10c4-6 12-6 16 0-4 6-12 6-16 0z" />
        <circle cx="10" cy="10" r="2.5" />
        ${isShown ? nothing : html`<svg><path d="M3 17 17 3" /></svg>`}
      </svg>
    </button>
  `;
}

export function renderOnlyBackground(bench: Workbench, disabled: boolean): TemplateResult {
  return html`
    <label class="only" title="Keep what is painted already (O)">
      <input
        type="checkbox"
        aria-keyshortcuts="o"
        .checked=${bench.onlyBackground}
        ?disabled=${disabled}
        @change=${(event: Event): void => {
          event.stopPropagation();
          bench.setOnlyBackground((event.target as HTMLInputElement).checked);
        }}
      />
      Paint on background only
    </label>
  `;
}

/** Opacity, brightness and contrast. */
export function renderLooks(bench: Workbench, labels: readonly string[]): TemplateResult {
  const { looks } = bench;
  const label = labels[bench.cls - 1];
  const slider = (name: string, value: number, most: number, set: (value: number) => void): TemplateResult => html`
    <label>
      <span>${name}</span><span aria-hidden="true">${Math.round(value * 100)} %</span>
      <input
        type="range"
        min="0"
        max=${most}
        step="5"
        .value=${String(Math.round(value * 100))}
        aria-valuetext="${Math.round(value * 100)} percent"
        @change=${(event: Event): void => event.stopPropagation()}
        @input=${(event: Event): void => {
          set(Number((event.target as HTMLInputElement).value) / 100);
          bench.applyLooks();
        }}
      />
    </label>
  `;
  return html`
    <details class="looks">
      <summary>How it is shown</summary>
      ${slider("Opacity of all labels", looks.opacity, 100, (value) => void (looks.opacity = value))}
      ${label === undefined
        ? nothing
        : slider(`Opacity of ${label}`, looks.opacities.get(label) ?? 1, 100, (value) => void looks.opacities.set(label, value))}
      ${slider("Brightness of the image", looks.brightness, 300, (value) => void (looks.brightness = value))}
      ${slider("Contrast of the image", looks.contrast, 300, (value) => void (looks.contrast = value))}
      <button @click=${(): void => bench.resetLooks()}>As at first</button>
    </details>
  `;
}
