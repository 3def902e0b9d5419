/** The four classifiers: one or several of some labels, of an image or of any other content. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Answer, Json, Key } from "../shared/messages";
import { readJson, readNames } from "./lists";
import { panelStyle } from "./regions";
import { settings } from "./settings";
import { shared } from "./styles";
import { TaskElement, renderFilter, taskStyle } from "./task_element";
import "./viewer";
import type { Viewer } from "./viewer";

/** Keys of the first options in the order of the keyboard. */
const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];

export abstract class Classifier extends TaskElement {
  static override styles = [
    shared,
    panelStyle,
    taskStyle,
    css`
      labeljob-viewer { flex: 1; }
      :host(:not([alone])) labeljob-viewer { height: 60dvh; flex: none; }
      .target { flex: 1; min-height: 0; overflow: auto; overflow-wrap: break-word; }
      .option.exclusion { margin-top: 0.4rem; }
      .filter { flex: none; margin-bottom: 0.5rem; }
      .chosen { margin: 0; color: var(--crowd-muted); font-size: 0.9rem; overflow-wrap: anywhere; max-height: 5rem; overflow: auto; flex: none; }
      @media (max-width: 42rem) {
        labeljob-viewer { flex: none !important; height: min(46dvh, 85vw) !important; }
      }
    `,
  ];

  @property({ attribute: "categories", converter: (text) => readNames(readJson(text, "categories")) })
  categories: string[] = [];
  @property({ attribute: "exclusion-category" }) exclusionCategory: string | null = null;
  @state() private chosen: readonly string[] = [];
  @state() private wanted = "";
  @query(".filter") private filter!: HTMLInputElement | null;
  @query("labeljob-viewer") protected viewer!: Viewer | null;

  protected abstract readonly isMultiple: boolean;

  protected abstract renderContent(): TemplateResult;

  /** The same as `categories`, by the name that other elements have for it. */
  get labels(): string[] {
    return this.categories;
  }

  set labels(labels: string[]) {
    this.categories = labels;
  }

  /** The label that was chosen, or the list of those that were. */
  get value(): string | string[] {
    return this.isMultiple ? [...this.chosen] : (this.chosen[0] ?? "");
  }

  set value(value: unknown) {
    const inside = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.values(value)[0] : value;
    const labels = Array.isArray(inside) ? inside.map(String) : inside ? [String(inside)] : [];
    this.chosen = this.options.filter((label) => labels.includes(label));
  }

  get _submittableValue(): Json {
    if (this.isMultiple) return { labels: [...this.chosen] };
    return this.chosen.length ? { label: this.chosen[0]! } : {};
  }

  private get exclusion(): string | null {
    const value = readJson(this.exclusionCategory, "exclusion-category");
    return typeof value === "object" && value !== null && "text" in value ? String(value.text) : null;
  }

  /** All that can be chosen, the exclusion category last. */
  private get options(): string[] {
    return this.exclusion === null ? this.categories : [...this.categories, this.exclusion];
  }

  private get visible(): string[] {
    const wanted = this.wanted.trim().toLocaleLowerCase();
    return this.options.filter((label) => label.toLocaleLowerCase().includes(wanted));
  }

  private get hasFilter(): boolean {
    return this.options.length > DIGITS.length;
  }

  writeTo(answer: Answer): void {
    if (this.name && this.chosen.length) answer[this.name] = this._submittableValue;
  }

  restore(answer: Answer): void {
    this.value = answer[this.name] ?? null;
  }

  reset(): void {
    this.chosen = [];
  }

  findProblem(): string | null {
    if (this.chosen.length || !this.options.length) return null;
    return this.isMultiple ? "Choose at least one label." : "Choose a label.";
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("categories") || changed.has("exclusionCategory")) {
      this.chosen = this.chosen.filter((label) => this.options.includes(label));
    }
  }

  private choose(label: string): void {
    if (this.disabled || this.sending) return;
    if (!this.isMultiple) {
      this.chosen = [label];
    } else if (this.chosen.includes(label)) {
      this.chosen = this.chosen.filter((other) => other !== label);
    } else {
      const excludes = label === this.exclusion;
      const kept = excludes ? [] : this.chosen.filter((other) => other !== this.exclusion);
      this.chosen = this.options.filter((other) => other === label || kept.includes(other));
    }
    this.announceChange();
  }

  protected takeKey(event: KeyboardEvent, source: Element): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const label = this.visible[DIGITS.indexOf(event.key)];
    if (label !== undefined) {
      event.preventDefault();
      if (event.repeat) return;
      this.choose(label);
      // Who cannot see the picture has to look up, and say so or press Submit.
      if (settings.advance && !this.isMultiple && !this.viewer?.isBroken) this.submit(true);
    } else if (event.key === "Enter" && !source.closest("button, a, summary")) {
      event.preventDefault();
      if (!event.repeat) this.submit();
    } else if (event.key === "/" && this.filter) {
      event.preventDefault();
      this.filter.focus();
    } else if (event.key === "?") {
      this.showKeys();
    } else if (this.viewer?.takeKey(event.key)) {
      event.preventDefault();
    }
  }

  private readonly typeFilter = (event: KeyboardEvent): void => {
    const [first] = this.visible;
    if (event.key === "Enter" && first !== undefined && this.wanted.trim()) {
      this.choose(first);
      this.wanted = "";
    } else if (event.key === "ArrowDown") {
      this.renderRoot.querySelector<HTMLInputElement>(".option input")?.focus();
    } else if (event.key === "Escape") {
      this.wanted = "";
      this.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  override updated(changed: PropertyValues): void {
    if (!changed.has("chosen") || this.isMultiple) return;
    this.renderRoot.querySelector(".option:has(input:checked)")?.scrollIntoView({ block: "nearest" });
  }

  private renderOption(label: string, at: number): TemplateResult {
    const key = DIGITS[at];
    const excludes = label === this.exclusion;
    return html`
      <label class="option ${excludes ? "exclusion" : ""}">
        <input
          type=${this.isMultiple ? "checkbox" : "radio"}
          name="choice"
          aria-keyshortcuts=${key ?? nothing}
          .value=${label}
          .checked=${this.chosen.includes(label)}
          ?disabled=${this.disabled}
          @change=${(event: Event): void => {
            event.stopPropagation();
            this.choose(label);
          }}
        />
        <span class="name" dir="auto">${label}</span>
        ${key ? html`<span class="key" data-key=${key} aria-hidden="true"></span>` : nothing}
      </label>
    `;
  }

  override render(): TemplateResult {
    return html`
      <div class="layout awsui-app-layout">
        ${this.instructions.render()}
        <div class="annotation-area" tabindex="-1" role=${this.alone ? "main" : "group"} aria-label=${this.header || "Task"} style="outline: none">
          <div class="work">
            ${this.header ? html`<h1 dir="auto">${this.header}</h1>` : nothing} ${this.renderContent()}
          </div>
          <div class="answers category-picker-wrapper">
            <fieldset>
              <legend>${this.isMultiple ? "Choose all labels that fit" : "Choose one label"}</legend>
              ${this.hasFilter
                ? renderFilter(this.options.length, this.wanted, (wanted) => void (this.wanted = wanted), this.typeFilter)
                : nothing}
              <div class="options">
                ${this.visible.map((label, at) => this.renderOption(label, at))}
                ${this.visible.length ? nothing : html`<p class="hint">No label has this in its name.</p>`}
              </div>
            </fieldset>
            ${this.hasFilter && this.chosen.length
              ? html`<p class="chosen">Chosen: ${this.chosen.join(", ")}</p>`
              : nothing}
            ${this.categories.length
              ? nothing
              : html`<p class="complaint">This page names no labels: its <code>categories</code> are empty.</p>`}
            <slot name="worker-comment"></slot>
            <slot></slot>
            ${this.complaint ? html`<p class="complaint" role="alert">${this.complaint}</p>` : nothing}
            ${this.alone
              ? html`<button class="primary submit" ?disabled=${this.sending} @click=${(): void => this.submit()}>Submit</button>`
              : nothing}
          </div>
        </div>
      </div>
    `;
  }

  override get keys(): Key[] {
    const rows: Key[] = [
      ["1 … 9, 0", this.isMultiple ? "Choose one of the first ten labels, or take it back" : "Choose one of the first ten labels"],
    ];
    if (this.hasFilter) rows.push(["/", "Filter the labels; Enter then chooses the first that is left"]);
    rows.push(["Enter", "Submit"]);
    if (this.viewer) {
      rows.push(
        ["+ and −, or the wheel", "Zoom in and out; the wheel zooms where the pointer is"],
        ["F, or a double click", "Fit image: show all of it"],
        ["Drag, or the arrow keys", "Move the image; for the arrow keys choose Move first"],
      );
    }
    return rows;
  }
}

abstract class ImageClassifier extends Classifier {
  @property() src = "";
  @property() overlay: string | null = null;

  override get decoded(): Promise<void> {
    return this.viewer?.decoded ?? Promise.resolve();
  }

  protected renderContent(): TemplateResult {
    return html`<labeljob-viewer
      .src=${this.src}
      .overlay=${readJson(this.overlay, "overlay")}
      ?wheel=${this.alone}
    ></labeljob-viewer>`;
  }
}

abstract class ContentClassifier extends Classifier {
  protected renderContent(): TemplateResult {
    return html`<div class="target" tabindex="0" role="group" aria-label="What to label">
      <slot name="classification-target"></slot>
    </div>`;
  }
}

@customElement("crowd-image-classifier")
export class CrowdImageClassifier extends ImageClassifier {
  protected override readonly isMultiple = false;
}

@customElement("crowd-image-classifier-multi-select")
export class CrowdImageClassifierMultiSelect extends ImageClassifier {
  protected override readonly isMultiple = true;
}

@customElement("crowd-classifier")
export class CrowdClassifier extends ContentClassifier {
  protected override readonly isMultiple = false;
}

@customElement("crowd-classifier-multi-select")
export class CrowdClassifierMultiSelect extends ContentClassifier {
  protected override readonly isMultiple = true;
}
