/** The elements that are a whole task: the classifiers and the segmentation editor. */
import { css, html, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { Json, Key } from "../shared/messages";
import { isFramed, post } from "./delivery";
import { Field } from "./field";
import { InstructionsPanel, openDialog } from "./regions";

/** Asks the form around to submit. */
export class SubmitRequest extends Event {
  static readonly type = "labeljob-submit";

  /** With `isAdvance` only if nothing else is asked. */
  constructor(readonly isAdvance: boolean) {
    super(SubmitRequest.type, { bubbles: true, composed: true });
  }
}

/** A box in which a worker types a part of a label's name, where there are many labels. */
export function renderFilter(
  nLabels: number,
  wanted: string,
  want: (wanted: string) => void,
  takeKey: (event: KeyboardEvent) => void,
): TemplateResult {
  return html`
    <input
      type="search"
      class="filter box"
      aria-label="Filter the labels"
      aria-keyshortcuts="/"
      placeholder="Filter ${nLabels} labels ( / )"
      .value=${wanted}
      @input=${(event: Event): void => want((event.target as HTMLInputElement).value)}
      @change=${(event: Event): void => event.stopPropagation()}
      @keydown=${takeKey}
    />
  `;
}

export abstract class TaskElement extends Field {
  @property() header = "";
  /** Whether nothing else is on the page: it fills the window and has the button that submits. */
  @property({ type: Boolean, reflect: true }) alone = false;
  @property({ type: Boolean }) sending = false;

  protected readonly instructions = new InstructionsPanel(
    this,
    () => this.renderToolGuide(),
    () => this.alone,
  );

  /** The keys that the element takes, wherever the focus is. */
  abstract get keys(): Key[];

  /** Fulfilled when the image is decoded, or cannot be shown. */
  get decoded(): Promise<void> {
    return Promise.resolve();
  }

  /** Look at this image as the worker looked at the one before. */
  takeView(_view: Json): void {}

  /** Take a key of the whole page, while nobody types and no dialog is open. */
  protected abstract takeKey(event: KeyboardEvent, source: Element): void;

  override focus(): void {
    this.renderRoot.querySelector<HTMLElement>(".annotation-area")?.focus({ preventScroll: true });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.hearKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.hearKey);
  }

  override firstUpdated(): void {
    this.dataset["labeljobTask"] = "";
  }

  protected submit(isAdvance = false): void {
    this.dispatchEvent(new SubmitRequest(isAdvance));
  }

  /** Show the keys: the portal does, around its frame. */
  protected showKeys(): void {
    if (isFramed) post({ labeljob: "help" });
    else openDialog(this, "tools");
  }

  private readonly hearKey = (event: KeyboardEvent): void => {
    if (event.isComposing || event.defaultPrevented) return;
    const [source] = event.composedPath();
    const isOurs = event.composedPath().includes(this);
    const alone = document.querySelectorAll("[data-labeljob-task]").length === 1;
    if (!isOurs && !alone) return;
    if (!(source instanceof Element) || source.closest("dialog, select, textarea, [contenteditable]")) return;
    if (source instanceof HTMLInputElement && !["radio", "checkbox", "range"].includes(source.type)) return;
    if (this.renderRoot.querySelector("dialog[open]")) return;
    this.takeKey(event, source);
  };

  private renderToolGuide(): TemplateResult {
    return html`<table>
      ${this.keys.map(([keys, what]) => html`<tr><th scope="row">${keys}</th><td>${what}</td></tr>`)}
    </table>`;
  }
}

/** Instructions at the left, the work in the middle, the answers at the right. */
export const taskStyle = css`
  :host { display: block; background: var(--crowd-surface); color: var(--crowd-text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  .layout { display: flex; min-height: 24rem; }
  :host([alone]) .layout { height: 100dvh; }
  .annotation-area { flex: 1; min-width: 0; display: grid; grid-template-columns: minmax(0, 1fr) minmax(15rem, 19rem); min-height: 0; }
  .annotation-area { grid-template-rows: minmax(0, 1fr) auto; }
  .annotation-area > :not(.work) { grid-column: 2; }
  .work { grid-row: 1 / span 2; display: flex; flex-direction: column; min-height: 0; min-width: 0; padding: 1rem; gap: 0.75rem; }
  h1 { margin: 0; font-size: 1.2rem; line-height: 1.35; text-wrap: balance; overflow-wrap: anywhere; }
  .answers { display: flex; flex-direction: column; gap: 0.75rem; min-height: 0; padding: 1rem; border-inline-start: 1px solid var(--crowd-line); background: var(--crowd-raised); }
  fieldset { display: flex; flex-direction: column; min-height: 3rem; min-width: 0; margin: 0; padding: 0; border: 0; }
  legend { padding: 0; margin-bottom: 0.5rem; font-weight: 650; }
  .options { display: flex; flex-direction: column; gap: 0.4rem; min-height: 0; overflow: auto; padding: 3px; margin: 0 -3px; }
  .option {
    position: relative; display: flex; align-items: center; gap: 0.65rem; min-height: 2.75rem; flex: none;
    padding: 0.4rem 0.7rem; border: 1px solid var(--crowd-line); border-radius: 0.6rem; cursor: pointer;
  }
  .option:hover { border-color: var(--crowd-accent); }
  .option:has(input:checked) { background: var(--crowd-chosen); border-color: var(--crowd-accent); }
  .option:has(input:focus-visible) { outline: 3px solid var(--crowd-accent); outline-offset: 1px; }
  .option input { outline: none; }
  .option .name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
  .key::before {
    content: attr(data-key); display: grid; place-content: center; min-width: 1.6rem; height: 1.6rem; padding: 0 0.3rem;
    border: 1px solid var(--crowd-line); border-radius: 0.35rem; color: var(--crowd-muted); font-size: 0.85rem; background: var(--crowd-surface);
  }
  .submit { margin-top: auto; min-height: 3rem; flex: none; }
  table { border-collapse: collapse; width: 100%; }
  th { text-align: left; font-weight: 550; padding: 0.35rem 1rem 0.35rem 0; vertical-align: top; }
  td { padding: 0.35rem 0; }
  tr + tr { border-top: 1px solid var(--crowd-line); }
  @media (max-width: 55rem) {
    .layout { flex-direction: column; }
  }
  @media (max-width: 42rem) {
    :host([alone]) .layout { height: auto; min-height: 100dvh; }
    .annotation-area { display: flex; flex-direction: column; }
    .work { padding-bottom: 0.25rem; }
    .answers { border-inline-start: 0; flex: 1; }
    .options { overflow: visible; }
    .submit { position: sticky; bottom: 0.75rem; box-shadow: 0 0 0 0.75rem var(--crowd-raised); }
  }
`;
