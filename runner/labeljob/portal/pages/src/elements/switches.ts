/** Boxes and radio buttons: each is true or false under its value. */
import { LitElement, css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Answer, Json } from "../shared/messages";
import { ChildWatcher } from "./child_watcher";
import { Field, readSwitch, writeSwitch } from "./field";
import { shared } from "./styles";

abstract class Switch extends Field {
  static override shadowRootOptions: ShadowRootInit = { mode: "open", delegatesFocus: true };
  static override styles = [
    shared,
    css`
      :host { display: inline-block; vertical-align: middle; }
      label { display: flex; align-items: center; gap: 0.6rem; min-height: 2.5rem; padding-right: 0.75rem; cursor: pointer; }
      :host([disabled]) label { opacity: 0.6; cursor: not-allowed; }
    `,
  ];

  @property({ type: Boolean }) checked = false;
  @property() value = "on";

  protected abstract readonly inputType: "checkbox" | "radio";

  constructor() {
    super();
    new ChildWatcher(this);
  }

  get _submittableValue(): Json {
    return { [this.value || "on"]: this.checked };
  }

  writeTo(answer: Answer): void {
    if (this.name) writeSwitch(answer, this.name, this.value || "on", this.checked);
  }

  restore(answer: Answer): void {
    this.checked = readSwitch(answer, this.name, this.value || "on") ?? false;
  }

  reset(): void {
    this.checked = this.hasAttribute("checked");
    this.complaint = "";
  }

  findProblem(): string | null {
    return this.required && !this.checked ? "Check this box." : null;
  }

  /** Whether pressing it again takes it back. */
  protected get canBeTakenBack(): boolean {
    return true;
  }

  protected readonly toggle = (event: Event): void => {
    event.stopPropagation();
    this.checked = (event.target as HTMLInputElement).checked;
    this.announceChange();
  };

  private readonly takeBack = (): void => {
    if (this.inputType !== "radio" || !this.checked || !this.canBeTakenBack) return;
    this.checked = false;
    this.announceChange();
  };

  override render(): TemplateResult {
    return html`
      <label>
        <input
          type=${this.inputType}
          aria-label=${this.textContent?.trim() ? nothing : this.spokenName || this.value}
          .checked=${this.checked}
          ?disabled=${this.disabled}
          ?required=${this.required}
          @click=${this.takeBack}
          @change=${this.toggle}
        />
        <span><slot></slot></span>
      </label>
      ${this.complaint ? html`<p class="complaint" role="alert">${this.complaint}</p>` : nothing}
    `;
  }
}

@customElement("crowd-checkbox")
export class CrowdCheckbox extends Switch {
  protected override readonly inputType = "checkbox";
}

@customElement("crowd-toggle-button")
export class CrowdToggleButton extends Switch {
  protected override readonly inputType = "checkbox";
}

@customElement("crowd-radio-button")
export class CrowdRadioButton extends Switch {
  protected override readonly inputType = "radio";

  get group(): CrowdRadioGroup | null {
    return this.closest<CrowdRadioGroup>("crowd-radio-group");
  }

  protected override get canBeTakenBack(): boolean {
    return this.group === null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("checked") && this.checked) this.group?.clearOthers(this);
  }

  override findProblem(): string | null {
    const peers = this.group?.buttons ?? [this];
    return this.required && !peers.some((button) => button.checked) ? "Choose one." : null;
  }
}

@customElement("crowd-radio-group")
export class CrowdRadioGroup extends LitElement {
  static override styles = css`
    :host { display: block; }
    ::slotted(crowd-radio-button) { display: block; }
  `;

  get buttons(): CrowdRadioButton[] {
    return [...this.querySelectorAll<CrowdRadioButton>("crowd-radio-button")];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.hasAttribute("role")) this.setAttribute("role", "radiogroup");
    this.addEventListener("keydown", this.step);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("keydown", this.step);
  }

  clearOthers(chosen: CrowdRadioButton): void {
    for (const button of this.buttons) if (button !== chosen) button.checked = false;
  }

  /** The arrow keys choose the next or the last button, as in HTML's groups. */
  private readonly step = (event: KeyboardEvent): void => {
    const direction = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const buttons = this.buttons.filter((button) => !button.disabled);
    const at = buttons.findIndex((button) => event.composedPath().includes(button));
    const next = buttons[(at + (direction ?? 0) + buttons.length) % buttons.length];
    if (!direction || at < 0 || !next) return;
    event.preventDefault();
    next.checked = true;
    next.focus();
    next.dispatchEvent(new Event("change", { bubbles: true }));
  };

  override render(): TemplateResult {
    return html`<slot></slot>`;
  }
}
