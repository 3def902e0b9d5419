/** `crowd-slider` and the labels along it. */
import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Answer, Json } from "../shared/messages";
import { Field } from "./field";
import { shared } from "./styles";

@customElement("crowd-slider")
export class CrowdSlider extends Field {
  static override shadowRootOptions: ShadowRootInit = { mode: "open", delegatesFocus: true };
  static override styles = [
    shared,
    css`
      :host { display: block; margin: 0.25rem 0; max-width: 34rem; min-width: min(18rem, 100%); }
      .row { display: flex; align-items: center; gap: 1rem; }
      .track { flex: 1; min-width: 0; }
      input[type="range"] { width: 100%; min-height: 2.5rem; margin: 0; accent-color: var(--crowd-accent); }
      input[type="number"] { width: 6rem; }
      output { min-width: 2.5rem; font-weight: 600; font-variant-numeric: tabular-nums; }
      .labels { position: relative; display: block; }
      .labels.used { height: 1.8rem; }
      ::slotted(crowd-slider-label) { position: absolute; white-space: nowrap; }
    `,
  ];

  @property({ type: Number }) min = 0;
  @property({ type: Number }) max = 100;
  @property({ type: Number }) step = 1;
  @property({ type: Boolean }) pin = false;
  @property({ type: Boolean }) editable = false;
  /** Shown as a second mark by AWS; accepted, and shown nowhere here. */
  @property({ type: Number, attribute: "secondary-progress" }) secondaryProgress = 0;
  @property({ type: Number, attribute: "value" }) private preset: number | null = null;
  @property({ attribute: false }) private moved: number | null = null;

  get value(): number {
    const value = this.moved ?? this.preset ?? 0;
    return Math.min(Math.max(Number.isFinite(value) ? value : 0, this.min), this.max);
  }

  set value(value: number) {
    this.moved = Number(value);
  }

  get _submittableValue(): Json {
    return this.value;
  }

  writeTo(answer: Answer): void {
    if (this.name) answer[this.name] = this.value;
  }

  restore(answer: Answer): void {
    const value = answer[this.name];
    this.moved = typeof value === "number" ? value : null;
  }

  reset(): void {
    this.moved = null;
  }

  findProblem(): null {
    return null;
  }

  private readonly move = (event: Event): void => {
    const text = (event.target as HTMLInputElement).value;
    if (text !== "") this.moved = Number(text);
  };

  private readonly placeLabels = (event: Event): void => {
    const slot = event.target as HTMLSlotElement;
    const labels = slot.assignedElements().filter((label) => label instanceof CrowdSliderLabel);
    slot.parentElement?.classList.toggle("used", labels.length > 0);
    for (const label of labels) {
      const share = (label.position - this.min) / (this.max - this.min || 1);
      label.style.left = `${share * 100}%`;
      label.style.transform = `translateX(${-share * 100}%)`;
    }
  };

  private renderInput(type: "range" | "number"): TemplateResult {
    return html`<input
      type=${type}
      class=${type === "number" ? "box" : ""}
      aria-label=${this.spokenName || "Value"}
      min=${this.min}
      max=${this.max}
      step=${this.step}
      .value=${String(this.value)}
      ?disabled=${this.disabled}
      @input=${this.move}
      @change=${(event: Event): void => {
        this.move(event);
        this.announceChange();
      }}
    />`;
  }

  override render(): TemplateResult {
    return html`
      <div class="row">
        <div class="track">
          ${this.renderInput("range")}
          <span class="labels"><slot @slotchange=${this.placeLabels}></slot></span>
        </div>
        ${this.editable ? this.renderInput("number") : html`<output aria-hidden="true">${this.value}</output>`}
      </div>
      ${this.complaint ? html`<p class="complaint" role="alert">${this.complaint}</p>` : nothing}
    `;
  }
}

@customElement("crowd-slider-label")
export class CrowdSliderLabel extends LitElement {
  @property({ type: Number }) position = 0;

  override render(): TemplateResult {
    return html`<slot></slot>`;
  }
}
