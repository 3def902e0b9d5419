/** Hands what the worker has done to the portal's page, soon after each change. */
import type { Answer } from "../shared/messages";
import { post } from "./delivery";
import { Field } from "./field";
import type { CrowdForm } from "./form";

const PAUSE = 1000;
/** Making drafts takes one part in so many of the time, unless they would be too far apart. */
const SHARE = 4;
/** A field that changes all the time is never ready: then its answer is taken as it stands. */
const LONGEST_PAUSE = 5_000;
const EVENTS = ["input", "change", "click", "keyup", "reset"];

export class Drafts {
  /** What is quick to read, as the last draft had it. */
  private before: string;
  /** Whether a field has changed since then whose answer takes long to make. */
  private hasChanged = false;
  private isDue = false;
  private earliest = 0;

  /** Watch the forms of a page from now on. */
  constructor(private readonly forms: readonly CrowdForm[]) {
    this.before = this.read();
    for (const name of EVENTS) window.addEventListener(name, this.take, { capture: true });
  }

  private readonly take = (event: Event): void => {
    const { target, type } = event;
    const isSlow = type === "reset" || (type === "change" && target instanceof Field && target.isSlow);
    // Scripts of the page may do something about it: what has come of it is looked at afterwards.
    setTimeout(() => {
      this.hasChanged ||= isSlow;
      this.look();
    });
  };

  private look(): void {
    if (this.isDue || this.isSending || (!this.hasChanged && this.read() === this.before)) return;
    this.isDue = true;
    post({ labeljob: "changed" });
    const wait = Math.max(PAUSE, this.earliest - performance.now());
    setTimeout(() => void this.send(), wait);
  }

  private async send(): Promise<void> {
    const start = performance.now();
    try {
      const ready = Promise.all(this.forms.map((form) => form.prepare()));
      await Promise.race([ready, new Promise((resolve) => setTimeout(resolve, LONGEST_PAUSE))]);
      if (this.isSending) return;
      post({ labeljob: "draft", answer: this.collect() });
      this.before = this.read();
      this.hasChanged = false;
    } catch (error) {
      post({ labeljob: "error", text: `What was done here could not be saved: ${String(error)}` });
    } finally {
      this.isDue = false;
      const now = performance.now();
      this.earliest = now + Math.min(SHARE * (now - start), LONGEST_PAUSE);
    }
  }

  private get isSending(): boolean {
    return this.forms.some((form) => form.isSending);
  }

  private collect(): Answer {
    return Object.assign({}, ...this.forms.map((form) => form.collect())) as Answer;
  }

  private read(): string {
    const quick = this.forms.map((form) =>
      form.collect(form.fields.filter((field) => !(field instanceof Field && field.isSlow))),
    );
    return JSON.stringify(quick);
  }
}
