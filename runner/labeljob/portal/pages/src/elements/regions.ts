/** The regions of the larger elements, and the panel with a task's instructions. */
import { css, html, nothing, type LitElement, type ReactiveController, type TemplateResult } from "lit";
import { ChildWatcher } from "./child_watcher";

const REGIONS = [
  "full-instructions",
  "short-instructions",
  "classification-target",
  "short-summary",
  "detailed-instructions",
  "positive-example",
  "negative-example",
];

/** A part of a task that its parent shows in the place of that name. */
class Region extends HTMLElement {
  connectedCallback(): void {
    this.slot = this.localName;
  }
}

export function defineRegions(): void {
  for (const name of REGIONS) customElements.define(name, class extends Region {});
}

/** A dialog with a title and a button that closes it. */
export function renderDialog(id: string, title: string, content: unknown): TemplateResult {
  const close = (event: Event): void => (event.currentTarget as HTMLElement).closest("dialog")?.close();
  return html`
    <dialog id=${id} class="awsui-modal-dialog" aria-labelledby="${id}-title">
      <header>
        <h2 id="${id}-title">${title}</h2>
        <button @click=${close}>Close</button>
      </header>
      <div tabindex="0">${content}</div>
    </dialog>
  `;
}

export function openDialog(host: LitElement, id: string): void {
  host.renderRoot.querySelector<HTMLDialogElement>(`dialog#${id}`)?.showModal();
}

/** The panel at the left: short instructions and the ways to the full ones and the tool guide. */
export class InstructionsPanel implements ReactiveController {
  private readonly narrow = matchMedia("(max-width: 55rem)");
  private unfolded = false;
  private readonly follow = (): void => this.host.requestUpdate();

  constructor(
    private readonly host: LitElement,
    private readonly renderToolGuide: (() => TemplateResult) | null = null,
    private readonly isLandmark: () => boolean = () => false,
  ) {
    host.addController(this);
    new ChildWatcher(host);
  }

  hostConnected(): void {
    this.narrow.addEventListener("change", this.follow);
  }

  hostDisconnected(): void {
    this.narrow.removeEventListener("change", this.follow);
  }

  private find(name: string): Element | undefined {
    return Array.from(this.host.children).find((child) => child.localName === name);
  }

  get isNeeded(): boolean {
    return ["short-instructions", "full-instructions"].some((name) => this.find(name));
  }

  render(): TemplateResult | typeof nothing {
    if (!this.isNeeded && !this.renderToolGuide) return nothing;
    const full = this.find("full-instructions");
    const folded = this.narrow.matches && !this.unfolded;
    const toggle = (): void => {
      this.unfolded = !this.unfolded;
      this.host.requestUpdate();
    };
    return html`
      <div
        class="instructions awsui-app-layout__navigation"
        role=${this.isLandmark() ? "complementary" : "group"}
        aria-label="Instructions"
      >
        <button class="fold" aria-expanded=${folded ? "false" : "true"} @click=${toggle}>
          Instructions
        </button>
        <div class="body" ?hidden=${folded} tabindex="0" role="group" aria-label="Short instructions">
          <h2>Instructions</h2>
          <slot name="short-instructions"></slot>
        </div>
        <div class="ways" ?hidden=${folded}>
          ${full &&
          html`<button @click=${() => openDialog(this.host, "full")}>View full instructions</button>`}
          ${this.renderToolGuide &&
          html`<button @click=${() => openDialog(this.host, "tools")}>View tool guide</button>`}
        </div>
      </div>
      ${full &&
      renderDialog(
        "full",
        full.getAttribute("header") || "Instructions",
        html`<slot name="full-instructions"></slot>`,
      )}
      ${this.renderToolGuide && renderDialog("tools", "Tool guide", this.renderToolGuide())}
    `;
  }
}

export const panelStyle = css`
  .instructions {
    display: flex; flex-direction: column; gap: 0.75rem; width: 17rem; padding: 1rem; min-height: 0;
    background: var(--crowd-raised); border-inline-end: 1px solid var(--crowd-line); overflow-wrap: break-word;
  }
  .instructions .body { flex: 0 1 auto; min-height: 0; overflow: auto; }
  .instructions h2 { margin: 0 0 0.5rem; font-size: 1.05rem; }
  .instructions .ways { display: flex; flex-direction: column; gap: 0.5rem; }
  .instructions .fold { display: none; }
  @media (max-width: 55rem) {
    .instructions { width: auto !important; border-inline-end: 0; border-bottom: 1px solid var(--crowd-line); padding: 0.5rem 1rem; }
    .instructions .fold { display: flex; justify-content: space-between; }
    .instructions .fold::after { content: "▾"; }
    .instructions .fold[aria-expanded="true"]::after { content: "▴"; }
    .instructions .body h2 { display: none; }
    .instructions .ways { flex-direction: row; flex-wrap: wrap; }
  }
`;
