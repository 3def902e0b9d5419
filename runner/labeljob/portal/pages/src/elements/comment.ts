/** `worker-comment`: what a worker wants to say beside the answer. */
import { css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Answer, Json } from "../shared/messages";
import { Field } from "./field";
import { shared } from "./styles";

/** Ground Truth's own key of a comment. */
const KEY = "workerComment";

@customElement("worker-comment")
export class WorkerComment extends Field {
  static override styles = [
    shared,
    css`
      :host { display: block; }
      textarea.box { min-height: 5.5rem; resize: vertical; }
      label { display: block; font-weight: 550; margin: 0.5rem 0 0.25rem; }
      .about { color: var(--crowd-muted); font-size: 0.9rem; }
    `,
  ];

  @property() header = "Add a comment";
  @property({ attribute: "link-text" }) linkText = "Add a comment";
  @property() placeholder = "";
  @state() private text = "";
  @state() private open = false;
  @query("textarea") private box!: HTMLTextAreaElement | null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.slot = this.localName;
  }

  get value(): string {
    return this.text;
  }

  set value(text: string) {
    this.text = text;
  }

  get _submittableValue(): Json {
    return this.text.trim();
  }

  writeTo(answer: Answer): void {
    const text = this.text.trim();
    if (text) answer[KEY] = text;
  }

  restore(answer: Answer): void {
    this.text = typeof answer[KEY] === "string" ? answer[KEY] : "";
    this.open = this.text !== "";
  }

  reset(): void {
    this.text = "";
    this.open = false;
  }

  findProblem(): null {
    return null;
  }

  private readonly toggle = async (): Promise<void> => {
    this.open = !this.open;
    await this.updateComplete;
    this.box?.focus();
  };

  override render(): TemplateResult {
    return html`
      <button class="quiet" aria-expanded=${this.open ? "true" : "false"} @click=${this.toggle}>${this.linkText}</button>
      ${this.open
        ? html`<label for="text">${this.header}</label>
            <div class="about"><slot></slot></div>
            <textarea
              id="text"
              class="box"
              placeholder=${this.placeholder}
              .value=${this.text}
              @input=${(event: Event): void => void (this.text = (event.target as HTMLTextAreaElement).value)}
            ></textarea>`
        : nothing}
    `;
  }
}
