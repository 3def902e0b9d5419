/** `crowd-form`: collects the answer of everything in it, and submits it. */
import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Answer } from "../shared/messages";
import { WorkerComment } from "./comment";
import { deliver } from "./delivery";
import { Field } from "./field";
import {
  isPlainField,
  resetPlainField,
  restorePlainField,
  writePlainField,
  type PlainField,
} from "./plain_fields";
import { InstructionsPanel, panelStyle } from "./regions";
import { shared } from "./styles";
import { SubmitRequest, TaskElement } from "./task_element";

const OWN_SUBMIT = "crowd-button[form-action=submit], button[type=submit], input[type=submit], input[type=image]";
const SUBMITTED_BY_ENTER = new Set(["button", "submit", "reset", "image", "file", "color", "range"]);

@customElement("crowd-form")
export class CrowdForm extends LitElement {
  static override styles = [
    shared,
    panelStyle,
    css`
      :host { display: block; }
      .layout { display: flex; align-items: stretch; min-height: 100dvh; }
      .layout > .instructions { position: sticky; top: 0; max-height: 100dvh; flex: none; }
      .content { flex: 1; min-width: 0; padding: 1rem 1.25rem 2rem; }
      :host([filled]) .content { padding: 0; }
      :host([filled]) .layout { display: block; min-height: 0; }
      .submit { display: flex; margin-top: 1.25rem; min-width: 9rem; min-height: 3rem; }
      .refusal {
        position: sticky; top: 0; z-index: 5; margin: 0 0 1rem; padding: 0.75rem 1rem; border: 1px solid var(--crowd-bad);
        border-radius: 0.6rem; background: var(--crowd-raised); color: var(--crowd-bad); font-weight: 550;
      }
      :host([filled]) .refusal { position: fixed; left: 1rem; right: 1rem; top: 1rem; margin: 0; }
      @media (max-width: 55rem) {
        .layout { display: block; }
        .layout > .instructions { position: static; max-height: none; }
      }
    `,
  ];

  /** Whether one task element is all that the page shows. */
  @property({ type: Boolean, reflect: true }) filled = false;
  @state() private ownSubmit = false;
  /** Whether the page has a heading of its own; a screen reader's user looks for one. */
  @state() private hasHeading = false;
  @state() private refusal = "";
  @state() private sending = false;
  private isPreparing = false;
  private announcing = false;
  private readonly instructions = new InstructionsPanel(this, null, () => true);
  private readonly watcher = new MutationObserver(() => this.arrange());

  /** As HTML's fields name their form: what is appended here is part of the answer. */
  get form(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.watcher.observe(this, { childList: true, subtree: true });
    this.addEventListener("keydown", this.takeEnter);
    this.addEventListener("click", this.takeClick);
    this.addEventListener(SubmitRequest.type, this.takeSubmit);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watcher.disconnect();
    this.removeEventListener("keydown", this.takeEnter);
    this.removeEventListener("click", this.takeClick);
    this.removeEventListener(SubmitRequest.type, this.takeSubmit);
  }

  /** Find out who shows the button, and whether a task element has the page to itself. */
  arrange(): void {
    const inside = [...descendants(this)];
    this.ownSubmit = inside.some((element) => element.matches(OWN_SUBMIT));
    this.hasHeading = document.querySelector("h1") !== null;
    const tasks = inside.filter((element) => element instanceof TaskElement);
    const [only] = tasks;
    this.filled =
      tasks.length === 1 &&
      !this.ownSubmit &&
      Array.from(this.children).every(
        (child) => child.contains(only!) || (child as HTMLElement).offsetHeight === 0,
      );
    for (const task of tasks) {
      task.alone = this.filled;
      task.sending = this.sending;
    }
  }

  /** All fields that are part of the answer, in the order of the page. */
  get fields(): (Field | PlainField)[] {
    return [...descendants(this)].filter(
      (element): element is Field | PlainField => element instanceof Field || isPlainField(element),
    );
  }

  /** The fields that a worker is to fill in. */
  private get questions(): (Field | PlainField)[] {
    return this.fields.filter(
      (field) => !(field instanceof WorkerComment) && !(isPlainField(field) && field.type === "hidden"),
    );
  }

  /** Fulfilled when `collect` gives at once what the worker sees. */
  async prepare(): Promise<void> {
    await Promise.all(this.fields.map((field) => (field instanceof Field ? field.prepare() : undefined)));
  }

  /** The answer as it stands, of all fields or of some. */
  collect(fields = this.fields): Answer {
    const answer: Answer = {};
    for (const field of fields) {
      if (isPlainField(field)) writePlainField(field, answer);
      else if (!field.disabled) field.writeTo(answer);
    }
    return answer;
  }

  /** Whether the answer has been sent, and was not refused. */
  get isSending(): boolean {
    return this.sending;
  }

  /** Check, let the page's own listeners refuse or change the answer, and send it. */
  submit(): void {
    if (this.sending || this.isPreparing) return;
    this.refusal = "";
    if (this.announcing) this.send();
    else if (this.check()) void this.announce();
  }

  private async announce(): Promise<void> {
    this.isPreparing = true;
    try {
      await this.prepare();
    } catch (error) {
      this.refuse(`The answer could not be put together: ${String(error)}`);
      return;
    } finally {
      this.isPreparing = false;
    }
    this.announcing = true;
    const isAccepted = this.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
    this.announcing = false;
    if (isAccepted && !this.sending) this.send();
  }

  private send(): void {
    this.setSending(true);
    if (!deliver(this.collect())) this.setSending(false);
  }

  requestSubmit(): void {
    this.submit();
  }

  reset(): void {
    if (!this.dispatchEvent(new Event("reset", { bubbles: true, cancelable: true }))) return;
    for (const field of this.fields) {
      if (isPlainField(field)) resetPlainField(field);
      else field.reset();
    }
  }

  /** Take over an earlier answer. */
  restore(answer: Answer): void {
    for (const field of this.fields) {
      if (isPlainField(field)) restorePlainField(field, answer);
      else field.restore(answer);
    }
  }

  /** Say that the answer was not taken; it may be submitted again. */
  refuse(text: string): void {
    this.refusal = text;
    this.setSending(false);
  }

  checkValidity(): boolean {
    return this.fields.every((field) =>
      isPlainField(field) ? field.checkValidity() : field.disabled || field.findProblem() === null,
    );
  }

  private check(): boolean {
    for (const field of this.fields) {
      if (isPlainField(field)) {
        if (!field.reportValidity()) return false;
      } else if (!field.disabled) {
        const problem = field.findProblem();
        if (problem !== null) {
          field.complain(problem);
          return false;
        }
      }
    }
    return true;
  }

  private setSending(sending: boolean): void {
    this.sending = sending;
    this.arrange();
  }

  private readonly takeEnter = (event: KeyboardEvent): void => {
    const [source] = event.composedPath();
    if (event.key !== "Enter" || event.isComposing || event.defaultPrevented) return;
    if (!(source instanceof HTMLInputElement) || SUBMITTED_BY_ENTER.has(source.type)) return;
    event.preventDefault();
    if (!event.repeat) this.submit();
  };

  private readonly takeClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || !(event.target instanceof Element)) return;
    const button = event.target.closest("button, input");
    if (!(button instanceof HTMLButtonElement || button instanceof HTMLInputElement)) return;
    if (button.disabled || button.form) return;
    if (button.type === "submit" || button.type === "image") this.submit();
    else if (button.type === "reset") this.reset();
  };

  private readonly takeSubmit = (event: Event): void => {
    event.stopPropagation();
    const isAdvance = event instanceof SubmitRequest && event.isAdvance;
    if (isAdvance && this.questions.length > 1) return;
    this.submit();
  };

  override render(): TemplateResult {
    return html`
      <div class="layout">
        ${this.instructions.isNeeded ? this.instructions.render() : nothing}
        <div class="content" role=${this.filled ? nothing : "main"}>
          ${this.filled || this.hasHeading ? nothing : html`<h1 class="hidden">Task</h1>`}
          ${this.refusal ? html`<p class="refusal" role="alert">${this.refusal}</p>` : nothing}
          <slot></slot>
          ${this.filled || this.ownSubmit
            ? nothing
            : html`<button class="primary submit" ?disabled=${this.sending} @click=${(): void => this.submit()}>Submit</button>`}
        </div>
      </div>
    `;
  }
}

/** Everything inside an element, with what stands in the place of its slots. */
export function* descendants(root: Element): Generator<Element> {
  const children =
    root instanceof HTMLSlotElement ? [...root.children, ...root.assignedElements()] : root.children;
  for (const child of children) {
    yield child;
    yield* descendants(child);
  }
}
