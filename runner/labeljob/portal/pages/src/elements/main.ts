import { LitElement, html } from "lit";
import JSON5 from "json5";
customElements.define("crowd-form", class extends LitElement { override render() { return html`<slot></slot>${JSON5.parse("1")}`; } });
