/** What the elements that take an answer have in common. */
import { LitElement } from "lit";
import { property, state } from "lit/decorators.js";
import type { Answer, Json } from "../shared/messages";

export abstract class Field extends LitElement {
  @property({ reflect: true }) name = "";
  @property({ type: Boolean }) disabled = false;
  @property({ type: Boolean }) required = false;

  /** What is wrong with the answer, shown beside the field until it is changed. */
  @state() protected complaint = "";

  /** The value as it is submitted under the field's name. */
  abstract get _submittableValue(): Json;

  /** Fulfilled when the answer as it stands then is at hand: what takes long to make is made here,
   * so that reading it afterwards does not keep the page waiting. */
  async prepare(): Promise<void> {}

  /** Whether `prepare` has something to do, so that the answer is read only where it is needed. */
  get isSlow(): boolean {
    return this.prepare !== Field.prototype.prepare;
  }

  /** Add the answer under the field's name; a field without an answer adds nothing. */
  abstract writeTo(answer: Answer): void;

  /** Take over this field's part of an earlier answer. */
  abstract restore(answer: Answer): void;

  abstract reset(): void;

  /** What the worker must do before the page can be submitted, if anything. */
  abstract findProblem(): string | null;

  complain(text: string): void {
    this.complaint = text;
    this.focus();
  }

  protected announceChange(): void {
    this.complaint = "";
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** What a screen reader calls the field when the page gives it no label. */
  protected get spokenName(): string {
    return this.getAttribute("aria-label") ?? this.name.replaceAll(/[_-]+/g, " ").trim();
  }
}

/** Add `{name: {value: checked}}`; boxes of one name share one object. */
export function writeSwitch(answer: Answer, name: string, value: string, checked: boolean): void {
  const before = answer[name];
  const shared = typeof before === "object" && before !== null && !Array.isArray(before);
  answer[name] = { ...(shared ? before : {}), [value]: checked };
}

/** Whether an earlier answer has a box checked; undefined when it does not say. */
export function readSwitch(answer: Answer, name: string, value: string): boolean | undefined {
  const switches = answer[name];
  if (typeof switches !== "object" || switches === null || Array.isArray(switches)) return undefined;
  const checked = switches[value];
  return typeof checked === "boolean" ? checked : undefined;
}
