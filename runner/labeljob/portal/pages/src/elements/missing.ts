/** Elements that pages may use and that are not here: each says so, and the rest is submitted. */
import { css, html, nothing, LitElement, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { readJson } from "./lists";
import { InstructionsPanel, panelStyle } from "./regions";
import { shared } from "./styles";
import "./viewer";

/** Elements that bring a form of their own when the page has none around them. */
const WITHOUT_FORM = new Set(["crowd-entity-annotation", "crowd-question-answer-generation"]);

class MissingElement extends LitElement {
  static override styles = [
    shared,
    panelStyle,
    css`
      :host { display: block; }
      .notice { margin: 0.5rem 0; padding: 0.75rem 1rem; border: 1px solid var(--crowd-line); border-left: 0.4rem solid var(--crowd-warning); border-radius: 0.6rem; background: var(--crowd-raised); }
      .notice p { margin: 0.25rem 0; }
      h1 { font-size: 1.2rem; margin: 0.5rem 0; }
      labeljob-viewer { height: 50dvh; }
      .instructions { width: auto; border: 0; padding: 0.5rem 0; background: none; }
      .instructions .ways { flex-direction: row; }
    `,
  ];

  @property() header = "";
  @property() src = "";
  @property() text = "";
  private readonly instructions = new InstructionsPanel(this);
  private stored: Record<string, unknown> = {};

  /** What scripts of pages read and assign is kept, so that they run on. */
  get labels(): unknown {
    return this.stored["labels"] ?? readJson(this.getAttribute("labels"), "labels") ?? [];
  }

  set labels(labels: unknown) {
    this.stored["labels"] = labels;
  }

  get value(): unknown {
    return this.stored["value"] ?? {};
  }

  set value(value: unknown) {
    this.stored["value"] = value;
  }

  get _submittableValue(): unknown {
    return this.value;
  }

  override render(): TemplateResult {
    const content = html`
      ${this.header ? html`<h1 dir="auto">${this.header}</h1>` : nothing}
      <div class="notice" role="note">
        <p><strong>This page asks for <code>&lt;${this.localName}&gt;</code>, which is not available here.</strong></p>
        <p>
          Answer what else the page asks, and submit. If nothing is left to answer, say that this
          cannot be labelled, and tell whoever gave you this job.
        </p>
      </div>
      ${this.instructions.isNeeded ? this.instructions.render() : nothing}
      ${this.text ? html`<p dir="auto">${this.text}</p>` : nothing}
      ${this.src ? html`<labeljob-viewer .src=${this.src}></labeljob-viewer>` : nothing}
      <slot></slot>
    `;
    const needsForm = WITHOUT_FORM.has(this.localName) && !this.closest("crowd-form");
    return needsForm ? html`<crowd-form>${content}</crowd-form>` : content;
  }
}

/** Define every element of this kind that the page uses and nobody defined. */
export function defineMissing(root: ParentNode): void {
  for (const element of root.querySelectorAll(":not(:defined)")) {
    const name = element.localName;
    if (name.startsWith("crowd-") && !customElements.get(name)) {
      customElements.define(name, class extends MissingElement {});
    }
  }
}
