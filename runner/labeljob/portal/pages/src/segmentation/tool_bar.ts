/** The bars above and below the image: tools, their settings, steps and zoom. */
import { css, html, nothing, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import type { Surface } from "./surface";
import type { Workbench } from "./workbench";

export const ZOOM_STEP = 1.4;

/** Lines of 20 x 20 for each tool. */
const ICONS: Record<string, SVGTemplateResult> = {
  brush: svg`<path d="M17 3 9 11M8 11c-3 0-2 4-5 5 3 1 7 1 7-3z"/>`,
  eraser: svg`<path d="m4 12 8-8 5 5-8 8H7zM8 8l5 5M9 17h8"/>`,
  polygon: svg`<path d="M4 7 11 3l6 6-3 8-9-2z"/>`,
  rectangle: svg`<path d="M3 5h14v10H3z"/>`,
  fill: svg`<path d="m9 3 7 7-6 6-6-6 5-5M4 10h12M17 13c1 2 1 3 0 4-1-1-1-2 0-4z"/>`,
  superpixels: svg`<path d="M3 3h14v14H3zM3 9l5 2 4-3 5 2M8 11l-1 6M12 8l1-5M12 8l2 9"/>`,
  in: svg`<circle cx="9" cy="9" r="6"/><path d="m14 14 4 4M9 6v6M6 9h6"/>`,
  out: svg`<circle cx="9" cy="9" r="6"/><path d="m14 14 4 4M6 9h6"/>`,
  fit: svg`<path d="M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4"/>`,
  undo: svg`<path d="M4 8h8a4 4 0 0 1 0 8H8M4 8l4-4M4 8l4 4"/>`,
  redo: svg`<path d="M16 8H8a4 4 0 0 0 0 8h4M16 8l-4-4M16 8l-4 4"/>`,
  "extreme-points": svg`<path d="M10 6c3 0 4 2 4 4s-1 4-4 4-4-2-4-4 1-4 4-4M10 2v2M10 16v2M2 10h2M16 10h2"/>`,
};

export const barStyle = css`
  .bar { display: flex; flex-wrap: wrap; gap: 0.4rem 0.5rem; align-items: center; flex: none; }
  .bar button { padding: 0.3rem 0.7rem; }
  .bar button[aria-pressed="true"] { background: var(--crowd-chosen); border-color: var(--crowd-accent); color: var(--crowd-text); }
  .bar button[aria-disabled="true"] { opacity: 0.55; cursor: not-allowed; }
  .bar svg { width: 1.25rem; height: 1.25rem; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; flex: none; }
  .bar label { display: inline-flex; gap: 0.5rem; align-items: center; min-height: 2.5rem; }
  .bar input[type="range"] { width: 8rem; accent-color: var(--crowd-accent); }
  .bar select { min-height: 2.5rem; padding: 0.3rem 0.5rem; border: 1px solid var(--crowd-edge); border-radius: 0.6rem; background: var(--crowd-raised); }
  .bar output, .bar .rate { min-width: 3.5rem; color: var(--crowd-muted); font-variant-numeric: tabular-nums; }
  .bar .gap { flex: 1; }
  .settings { height: 2.5rem; flex-wrap: nowrap; white-space: nowrap; }
  .settings input[type="range"] { flex: 0 1 8rem; min-width: 3rem; }
  .bars { container-type: inline-size; display: flex; flex-direction: column; gap: 0.4rem; flex: none; }
  .zoom { flex-wrap: nowrap; }
  .words { flex: 1; min-width: 0; max-height: 2.5rem; overflow: hidden; font-size: 0.9rem; line-height: 1.25rem; }
  @container (max-width: 58rem) {
    .tools button[aria-pressed="false"] .name, .steps .name, .zoom .name {
      position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
    }
    .tools { gap: 0.3rem; }
  }
  @container (max-width: 34rem) {
    .settings label, .settings .hint { font-size: 0.9rem; }
    .tools button[aria-pressed="true"] .name {
      position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
    }
  }
  @media (max-width: 42rem) {
    .bar button { min-width: 2.75rem; min-height: 2.75rem; }
    .zoom .keys { display: none; }
    .zoom { flex-wrap: wrap; }
    .words { flex-basis: 100%; height: 2.5rem; }
  }
`;

function renderIcon(name: string): TemplateResult {
  return html`<svg viewBox="0 0 20 20" aria-hidden="true">${ICONS[name] ?? nothing}</svg>`;
}

/** The tools, and undo and redo. */
export function renderTools(bench: Workbench): TemplateResult {
  const hasSteps = bench.isOpen;
  return html`
    <div class="bar tools" role="group" aria-label="Tools">
      ${bench.tools.map(
        (tool) => html`
          <button
            aria-pressed=${bench.tool === tool ? "true" : "false"}
            aria-keyshortcuts=${tool.key}
            title="${tool.absence ?? tool.name} (${tool.key.toUpperCase()})"
            aria-disabled=${tool.absence === undefined ? nothing : "true"}
            @click=${(): void => bench.use(tool)}
          >
            ${renderIcon(tool.id)}
            <span class="name">${tool.name}</span>
          </button>
        `,
      )}
      <span class="gap"></span>
      <span class="steps">
      <button
        ?disabled=${!hasSteps || !bench.painting.canUndo}
        aria-keyshortcuts="Control+Z"
        title="Undo (Ctrl+Z)"
        @click=${(): void => bench.undo()}
      >
        ${renderIcon("undo")}<span class="name">Undo</span>
      </button>
      <button
        ?disabled=${!hasSteps || !bench.painting.canRedo}
        aria-keyshortcuts="Control+Y"
        title="Redo (Ctrl+Y)"
        @click=${(): void => bench.redo()}
      >
        ${renderIcon("redo")}<span class="name">Redo</span>
      </button>
      </span>
    </div>
  `;
}

/** What can be set for the tool in use. */
export function renderToolSettings(bench: Workbench): TemplateResult {
  return html`
    <div class="bar settings" role="group" aria-label="Settings of the tool">
      ${(bench.isOpen && bench.tool.renderSettings?.()) || nothing}
    </div>
  `;
}

/** Zoom, and what the editor has to say. */
export function renderZoom(bench: Workbench, surface: Surface | null, showKeys: () => void): TemplateResult {
  return html`
    <div class="bars"><div class="bar zoom" role="group" aria-label="View of the image">
      <button @click=${(): void => surface?.zoomBy(ZOOM_STEP)} aria-keyshortcuts="+" title="Zoom in (+)">${renderIcon("in")}<span class="name">Zoom in</span></button>
      <button @click=${(): void => surface?.zoomBy(1 / ZOOM_STEP)} aria-keyshortcuts="-" title="Zoom out (-)">${renderIcon("out")}<span class="name">Zoom out</span></button>
      <button @click=${(): void => surface?.fitImage()} aria-keyshortcuts="f" title="Show all of it (F)">${renderIcon("fit")}<span class="name">Fit image</span></button>
      <button @click=${(): void => surface?.zoomToPixels()} aria-keyshortcuts="z" title="One pixel of the image is one of the page (Z)">1:1</button>
      <span class="rate">${Math.round((surface?.scale ?? 1) * 100)} %</span>
      <span class="words" role="status" title=${bench.words}>${bench.words}</span>
      <button class="keys" @click=${showKeys} aria-keyshortcuts="?">Keys</button>
    </div></div>
  `;
}
