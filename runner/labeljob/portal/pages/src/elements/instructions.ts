/** `crowd-instructions`: instructions with examples, behind a link or a button. */
import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { ChildWatcher } from "./child_watcher";
import { openDialog, renderDialog } from "./regions";
import { shared } from "./styles";

@customElement("crowd-instructions")
export class CrowdInstructions extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: inline-block; }
      section + section { margin-top: 1.5rem; }
      h3 { margin: 0 0 0.5rem; font-size: 1.05rem; }
      h4 { margin: 1rem 0 0.25rem; font-size: 1rem; }
      .good { color: var(--crowd-good); }
      .bad { color: var(--crowd-bad); }
    `,
  ];

  @property({ attribute: "link-text" }) linkText = "Click for instructions";
  @property({ attribute: "link-type" }) linkType = "link";

  constructor() {
    super();
    new ChildWatcher(this);
  }

  private has(name: string): boolean {
    return Array.from(this.children).some((child) => child.localName === name);
  }

  override render(): TemplateResult {
    const good = this.has("positive-example");
    const bad = this.has("negative-example");
    return html`
      <button class=${this.linkType === "button" ? "" : "quiet"} @click=${() => openDialog(this, "all")}>
        ${this.linkText}
      </button>
      ${renderDialog(
        "all",
        "Instructions",
        html`
          ${this.has("short-summary") ? html`<section><h3>Summary</h3><slot name="short-summary"></slot></section>` : nothing}
          ${this.has("detailed-instructions")
            ? html`<section><h3>Detailed instructions</h3><slot name="detailed-instructions"></slot></section>`
            : nothing}
          ${good || bad
            ? html`<section>
                <h3>Examples</h3>
                ${good ? html`<h4 class="good">Good</h4><slot name="positive-example"></slot>` : nothing}
                ${bad ? html`<h4 class="bad">Not good</h4><slot name="negative-example"></slot>` : nothing}
              </section>`
            : nothing}
          <slot></slot>
        `,
      )}
    `;
  }
}
