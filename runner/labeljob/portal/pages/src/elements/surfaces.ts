/** Elements that show something and take no answer. */
import { LitElement, css, html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { openDialog, renderDialog } from "./regions";
import { shared } from "./styles";

@customElement("crowd-card")
export class CrowdCard extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        display: inline-block; background: var(--crowd-raised); border: 1px solid var(--crowd-line);
        border-radius: 0.6rem; box-shadow: 0 1px 3px rgb(0 0 0 / 12%); overflow: hidden;
      }
      h2 { margin: 0; padding: 0.75rem 1rem 0; font-size: 1.1rem; }
      img { display: block; width: 100%; }
    `,
  ];

  @property() heading = "";
  @property() image = "";

  override render(): TemplateResult {
    return html`
      ${this.image ? html`<img src=${this.image} alt="" />` : nothing}
      ${this.heading ? html`<h2>${this.heading}</h2>` : nothing}
      <slot></slot>
    `;
  }
}

@customElement("crowd-alert")
export class CrowdAlert extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; margin: 0.5rem 0; }
      .box { display: flex; align-items: center; gap: 1rem; border-left: 0.4rem solid var(--color); --color: var(--crowd-accent); }
      .success { --color: var(--crowd-good); }
      .warning { --color: var(--crowd-warning); }
      .error { --color: var(--crowd-bad); }
      .text { flex: 1; min-width: 0; }
      .close { padding: 0; border-color: transparent; }
      .close::before { content: "✕" / ""; }
    `,
  ];

  @property() type = "info";
  @property({ type: Boolean }) dismissible = false;

  override render(): TemplateResult {
    const urgent = this.type === "error" || this.type === "warning";
    return html`
      <div class="box ${this.type}" role=${urgent ? "alert" : "status"}>
        <div class="text"><slot></slot></div>
        ${this.dismissible ? html`<button class="close" aria-label="Close" @click=${(): void => this.remove()}></button>` : nothing}
      </div>
    `;
  }
}

@customElement("crowd-modal")
export class CrowdModal extends LitElement {
  static override styles = [shared, css`:host { display: inline-block; }`];

  @property({ attribute: "link-text" }) linkText = "Click to open modal";
  @property({ attribute: "link-type" }) linkType = "link";

  override render(): TemplateResult {
    return html`
      <button class=${this.linkType === "button" ? "" : "quiet"} @click=${(): void => openDialog(this, "content")}>
        ${this.linkText}
      </button>
      ${renderDialog("content", this.linkText, html`<slot></slot>`)}
    `;
  }
}

@customElement("crowd-tabs")
export class CrowdTabs extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; }
      [role="tablist"] { display: flex; flex-wrap: wrap; gap: 0.25rem; border-bottom: 1px solid var(--crowd-line); margin-bottom: 1rem; }
      [role="tab"] { border-color: transparent; background: none; border-radius: 0.6rem 0.6rem 0 0; }
      [aria-selected="true"] { border-color: var(--crowd-line); border-bottom-color: var(--crowd-accent); color: var(--crowd-accent); }
    `,
  ];

  @state() private tabs: CrowdTab[] = [];
  @state() private shown = 0;

  private readonly find = (event: Event): void => {
    const inside = (event.target as HTMLSlotElement).assignedElements();
    this.tabs = inside.filter((tab): tab is CrowdTab => tab instanceof CrowdTab);
  };

  private readonly step = (event: KeyboardEvent): void => {
    const direction = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!direction || !this.tabs.length) return;
    this.shown = (this.shown + direction + this.tabs.length) % this.tabs.length;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("[aria-selected=true]")?.focus());
  };

  override updated(): void {
    this.tabs.forEach((tab, at) => (tab.hidden = at !== this.shown));
  }

  override render(): TemplateResult {
    return html`
      <div role="tablist" @keydown=${this.step}>
        ${this.tabs.map(
          (tab, at) => html`<button
            role="tab"
            aria-selected=${at === this.shown ? "true" : "false"}
            tabindex=${at === this.shown ? 0 : -1}
            @click=${(): void => void (this.shown = at)}
          >
            ${tab.header}
          </button>`,
        )}
      </div>
      <slot @slotchange=${this.find}></slot>
    `;
  }
}

@customElement("crowd-tab")
export class CrowdTab extends LitElement {
  static override styles = css`:host([hidden]) { display: none; }`;

  @property() header = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "tabpanel");
    this.setAttribute("aria-label", this.header);
  }

  override render(): TemplateResult {
    return html`<slot></slot>`;
  }
}

@customElement("crowd-badge")
export class CrowdBadge extends LitElement {
  static override styles = css`
    span { padding: 0.1rem 0.45rem; border-radius: 1rem; background: var(--crowd-accent); color: var(--crowd-accent-text); font-size: 0.8rem; }
  `;

  @property() label = "";

  override render(): TemplateResult {
    return html`${this.label ? html`<span>${this.label}</span>` : nothing}<slot></slot>`;
  }
}

@customElement("crowd-toast")
export class CrowdToast extends LitElement {
  static override styles = css`
    p { position: fixed; left: 1rem; bottom: 1rem; z-index: 5; margin: 0; padding: 0.75rem 1rem; border-radius: 0.6rem; background: var(--crowd-text); color: var(--crowd-surface); }
  `;

  @property() text = "";
  /** Milliseconds for which it is shown. */
  @property({ type: Number }) duration = 4000;
  @state() private shown = true;

  override connectedCallback(): void {
    super.connectedCallback();
    setTimeout(() => (this.shown = false), this.duration);
  }

  override render(): TemplateResult {
    return html`${this.shown ? html`<p role="status">${this.text}</p>` : nothing}<slot></slot>`;
  }
}
