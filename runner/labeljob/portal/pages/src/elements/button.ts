/** `crowd-button` and its kin. */
import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { ChildWatcher } from "./child_watcher";
import { CrowdForm } from "./form";
import { shared } from "./styles";

/** The form around an element, or around the element in whose inside it stands. */
function findForm(element: Element): CrowdForm | null {
  const form = element.closest("crowd-form");
  if (form instanceof CrowdForm) return form;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? findForm(root.host) : null;
}

@customElement("crowd-button")
export class CrowdButton extends LitElement {
  static override shadowRootOptions: ShadowRootInit = { mode: "open", delegatesFocus: true };
  static override styles = [
    shared,
    css`
      :host { display: inline-block; }
      :host([disabled]) { pointer-events: none; }
      img { height: 1.2rem; }
      .link { border-color: transparent; background: none; color: var(--crowd-accent); text-decoration: underline; }
      .icon { padding: 0.3rem; }
      .after { flex-direction: row-reverse; }
    `,
  ];

  @property({ type: Boolean, reflect: true }) disabled = false;
  @property({ type: Boolean }) loading = false;
  @property({ attribute: "form-action" }) formAction = "";
  @property() href: string | null = null;
  @property() target = "_blank";
  @property() icon = "";
  @property({ attribute: "icon-align" }) iconAlign = "left";
  @property({ attribute: "icon-url" }) iconUrl = "";
  @property() variant = "normal";

  constructor() {
    super();
    new ChildWatcher(this);
  }

  private readonly act = (): void => {
    if (this.formAction === "submit") findForm(this)?.submit();
    else if (this.formAction === "reset") findForm(this)?.reset();
  };

  private renderContent(): TemplateResult {
    const words = this.icon.replace(/^.*:/, "").replaceAll("-", " ");
    const hasText = Boolean(this.textContent?.trim()) || this.childElementCount > 0;
    const fallback = this.formAction === "submit" ? "Submit" : this.getAttribute("label") || words || this.title || "Button";
    return html`
      ${this.iconUrl ? html`<img src=${this.iconUrl} alt=${hasText ? "" : fallback} />` : nothing}
      ${this.loading ? html`<span>Please wait</span>` : hasText || this.iconUrl ? html`<span><slot></slot></span>` : fallback}
    `;
  }

  override render(): TemplateResult {
    const primary = this.variant === "primary" || this.formAction === "submit";
    const classes = `button ${primary ? "primary" : this.variant} ${this.iconAlign === "right" ? "after" : ""}`;
    if (this.href !== null && !this.disabled) {
      return html`<a class=${classes} href=${this.href} target=${this.target} rel="noopener">${this.renderContent()}</a>`;
    }
    return html`<button
      type="button"
      class=${classes}
      aria-label=${this.getAttribute("aria-label") ?? nothing}
      ?disabled=${this.disabled || this.loading}
      @click=${this.act}
    >
      ${this.renderContent()}
    </button>`;
  }
}

@customElement("crowd-icon-button")
export class CrowdIconButton extends CrowdButton {}

@customElement("crowd-fab")
export class CrowdFab extends CrowdButton {}
