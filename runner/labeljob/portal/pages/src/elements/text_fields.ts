/** `crowd-input` and `crowd-text-area`. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import type { Answer, Json } from "../shared/messages";
import { Field } from "./field";
import { shared } from "./styles";

abstract class TextField extends Field {
  static override shadowRootOptions: ShadowRootInit = { mode: "open", delegatesFocus: true };
  static override styles = [
    shared,
    css`
      :host { display: block; margin: 0.5rem 0; }
      label { display: block; font-weight: 550; margin-bottom: 0.25rem; }
      .below { display: flex; justify-content: space-between; gap: 1rem; }
      .below .hint { margin-left: auto; }
      textarea { resize: vertical; field-sizing: content; display: block; }
    `,
  ];

  @property() label = "";
  @property() placeholder = "";
  @property({ attribute: "auto-focus" }) autoFocus: string | null = null;
  @property({ type: Boolean, attribute: "auto-validate" }) autoValidate = false;
  @property({ attribute: "allowed-pattern" }) allowedPattern = "";
  @property({ attribute: "error-message" }) errorMessage = "";
  @property({ type: Number, attribute: "max-length" }) maxLength: number | null = null;
  @property({ type: Number, attribute: "min-length" }) minLength: number | null = null;
  @property({ converter: (text) => text ?? "" }) value: string | null = "";
  @query(".box") protected box!: HTMLInputElement | HTMLTextAreaElement | null;

  protected get text(): string {
    return this.value ?? "";
  }

  get _submittableValue(): Json {
    return this.text;
  }

  get wantsFocus(): boolean {
    return this.autoFocus !== null && this.autoFocus !== "false";
  }

  writeTo(answer: Answer): void {
    if (this.name && this.text !== "") answer[this.name] = this.text;
  }

  restore(answer: Answer): void {
    const text = answer[this.name];
    this.value = typeof text === "string" ? text : "";
  }

  reset(): void {
    this.value = this.getAttribute("value") ?? "";
    this.complaint = "";
  }

  findProblem(): string | null {
    const missing = this.required && this.text.trim() === "";
    const short = this.minLength !== null && this.text !== "" && this.text.length < this.minLength;
    const wrong = this.box !== null && this.text !== "" && !this.box.checkValidity();
    if (!missing && !short && !wrong) return null;
    if (this.errorMessage) return this.errorMessage;
    if (missing) return "Fill in this field.";
    return short ? `Write at least ${this.minLength} characters.` : this.box!.validationMessage;
  }

  protected readonly type = (event: Event): void => {
    const box = event.target as HTMLInputElement | HTMLTextAreaElement;
    const allowed = this.autoValidate && this.allowedPattern ? this.filter(box.value) : box.value;
    const text = this.maxLength === null ? allowed : allowed.slice(0, this.maxLength);
    if (text !== box.value) box.value = text;
    this.value = text;
    this.complaint = "";
  };

  protected readonly leave = (): void => {
    this.announceChange();
    if (this.autoValidate && this.text !== "") this.complaint = this.findProblem() ?? "";
  };

  /** Leave out the characters that the pattern does not match. */
  private filter(text: string): string {
    try {
      const pattern = new RegExp(`^(?:${this.allowedPattern})$`, "u");
      return [...text].filter((character) => pattern.test(character)).join("");
    } catch {
      return text;
    }
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("value")) this.value = this.text.replaceAll(/\r\n?/g, "\n");
  }

  protected abstract renderBox(spoken: string | typeof nothing): TemplateResult;

  override render(): TemplateResult {
    const spoken = this.label ? nothing : this.placeholder || this.spokenName || "Text";
    return html`
      ${this.label ? html`<label for="box">${this.label}${this.required ? html`<span aria-hidden="true"> *</span>` : nothing}</label>` : nothing}
      ${this.renderBox(spoken)}
      <div class="below">
        ${this.complaint ? html`<p class="complaint" id="complaint" role="alert">${this.complaint}</p>` : nothing}
        ${this.renderBelow()}
      </div>
    `;
  }

  protected renderBelow(): unknown {
    return nothing;
  }
}

@customElement("crowd-input")
export class CrowdInput extends TextField {
  @property({ attribute: "type" }) inputType = "text";

  protected renderBox(spoken: string | typeof nothing): TemplateResult {
    const isFile = this.inputType === "file";
    return html`<input
      id="box"
      class="box"
      type=${this.inputType}
      aria-label=${spoken}
      aria-invalid=${this.complaint ? "true" : "false"}
      aria-describedby=${this.complaint ? "complaint" : nothing}
      placeholder=${this.placeholder || nothing}
      maxlength=${this.maxLength ?? nothing}
      ?required=${this.required}
      ?disabled=${this.disabled}
      .value=${isFile ? nothing : this.text}
      step="any"
      @input=${isFile ? this.chooseFile : this.type}
      @change=${isFile ? this.announceChange : this.leave}
    />`;
  }

  private readonly chooseFile = (event: Event): void => {
    const files = (event.target as HTMLInputElement).files ?? [];
    this.value = Array.from(files, (file) => file.name).join(", ");
  };
}

@customElement("crowd-text-area")
export class CrowdTextArea extends TextField {
  @property({ type: Number }) rows = 2;
  @property({ type: Number, attribute: "max-rows" }) maxRows: number | null = null;
  @property({ type: Boolean, attribute: "char-counter" }) charCounter = false;

  protected renderBox(spoken: string | typeof nothing): TemplateResult {
    const rows = Math.max(1, this.rows);
    const highest = this.maxRows ? `max-height: ${Math.max(this.maxRows, rows) * 1.5 + 1.1}rem` : "";
    return html`<textarea
      id="box"
      class="box"
      rows=${rows}
      style="min-height: ${rows * 1.5 + 1.1}rem; ${highest}"
      aria-label=${spoken}
      aria-invalid=${this.complaint ? "true" : "false"}
      aria-describedby=${this.complaint ? "complaint" : nothing}
      placeholder=${this.placeholder || nothing}
      maxlength=${this.maxLength ?? nothing}
      ?required=${this.required}
      ?disabled=${this.disabled}
      .value=${this.text}
      @input=${this.type}
      @change=${this.leave}
    ></textarea>`;
  }

  protected override renderBelow(): unknown {
    if (!this.charCounter) return nothing;
    const limit = this.maxLength === null ? "" : ` of ${this.maxLength}`;
    return html`<p class="hint">${this.text.length}${limit} characters</p>`;
  }
}
