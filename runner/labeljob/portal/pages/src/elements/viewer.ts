/** The photograph of a task: zoomed and moved by mouse, touch and keyboard. */
import { LitElement, css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { until } from "lit/directives/until.js";
import { comesBack } from "../shared/reach";
import { fit, hold, readArrow, zoom, type Placement, type Size } from "./geometry";
import { loadMask, readOverlay, type Overlay } from "./overlay";
import { findStoredSize } from "./stored_size";
import { shared } from "./styles";

const STEP = 1.4;
const OVERLAY_NAME = "The labels to judge";

@customElement("labeljob-viewer")
export class Viewer extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: flex; flex-direction: column; min-height: 0; min-width: 0; }
      .view {
        position: relative; flex: 1; min-height: 12rem; overflow: hidden; cursor: grab;
        background: light-dark(#e9ecf1, #0b0d10); border: 1px solid var(--crowd-line); border-radius: 0.6rem;
        touch-action: pan-y; user-select: none; -webkit-user-select: none;
      }
      .view.zoomed { touch-action: none; }
      .view.held { cursor: grabbing; }
      .picture { position: absolute; left: 0; top: 0; transform-origin: 0 0; }
      img { display: block; max-width: none; image-orientation: none; pointer-events: none; }
      .coarse img { image-rendering: pixelated; }
      .mask { position: absolute; inset: 0; width: 100%; height: 100%; opacity: 0.55; image-rendering: pixelated; }
      svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; pointer-events: none; }
      rect { fill: none; stroke-width: 3; vector-effect: non-scaling-stroke; }
      .tools { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; padding-top: 0.6rem; }
      .tools .rate { min-width: 4rem; color: var(--crowd-muted); font-variant-numeric: tabular-nums; }
      .tools label { display: inline-flex; gap: 0.5rem; align-items: center; min-height: 2.5rem; }
      .legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0.5rem 0 0; padding: 0; list-style: none; font-size: 0.9rem; }
      .legend span { display: inline-block; width: 0.9rem; height: 0.9rem; margin-right: 0.4rem; border: 1px solid var(--crowd-edge); vertical-align: -0.1rem; }
      .broken { position: absolute; inset: 0; display: grid; place-content: center; padding: 1.5rem; text-align: center; cursor: default; }
      .broken p { margin: 0; max-width: 28rem; }
    `,
  ];

  @property() src = "";
  @property({ attribute: false }) overlay: unknown = null;
  /** Whether the wheel alone zooms; else only with Ctrl, and the page scrolls. */
  @property({ type: Boolean }) wheel = false;

  @state() private placement: Placement = { scale: 1, x: 0, y: 0 };
  @state() private size: Size | null = null;
  @state() private broken = false;
  /** Whether the server is asked to let all pages read it; else EXIF data may turn it. */
  @state() private isForAll = true;
  private wasTriedAgain = false; // to load the picture
  @state() private held = false;
  @state() private showsOverlay = true;
  @query(".view") private view!: HTMLElement;
  @query("img.photo") private photo!: HTMLImageElement;

  private fitted = true;
  private mask: { src: string; shown: Promise<unknown> } | null = null;
  private readonly fingers = new Map<number, PointerEvent>();
  private readonly resized = new ResizeObserver(() => this.settle());
  private finish!: () => void;
  /** Fulfilled when the picture is decoded, or cannot be shown. */
  readonly decoded = new Promise<void>((resolve) => (this.finish = resolve));

  private get room(): Size {
    return { width: this.view.clientWidth, height: this.view.clientHeight };
  }

  override firstUpdated(): void {
    this.resized.observe(this.view);
    this.view.addEventListener("wheel", this.turn, { passive: false });
    if (!this.src) this.finish();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.resized.observe(this.view);
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("src")) {
      this.broken = false;
      this.isForAll = true;
      this.size = null;
      this.fitted = true;
    }
  }

  private readonly loaded = (): void => {
    this.size = findStoredSize(this.photo);
    this.settle();
    void this.photo.decode().catch(() => undefined).then(this.finish);
  };

  private readonly failed = (): void => {
    if (this.isForAll) {
      this.isForAll = false; // it is loaded once more
      return;
    }
    this.broken = true;
    this.finish();
    void this.tryAgain();
  };

  /** Load the picture once more, as soon as it can be had. */
  private async tryAgain(): Promise<void> {
    const { src } = this;
    if (this.wasTriedAgain || !(await comesBack(src, () => this.isConnected && this.src === src))) return;
    this.wasTriedAgain = this.isForAll = true;
    this.broken = false;
  }

  private settle(): void {
    if (!this.size || this.room.width === 0) return;
    this.placement = this.fitted
      ? fit(this.size, this.room)
      : hold(this.placement, this.size, this.room);
  }

  /** Whether the picture cannot be shown. */
  get isBroken(): boolean {
    return this.broken || (this.wasTriedAgain && !this.size);
  }

  /** Show the whole picture. */
  fitImage(): void {
    this.fitted = true;
    this.settle();
  }

  /** Zoom by a factor about a point of the view, or about its middle. */
  zoomBy(factor: number, x = this.room.width / 2, y = this.room.height / 2): void {
    if (!this.size) return;
    this.placement = zoom(this.placement, factor, x, y, this.size, this.room);
    this.fitted = this.placement.scale === fit(this.size, this.room).scale;
  }

  private moveBy(x: number, y: number): void {
    if (!this.size) return;
    const moved = { ...this.placement, x: this.placement.x + x, y: this.placement.y + y };
    this.placement = hold(moved, this.size, this.room);
  }

  private readonly turn = (event: WheelEvent): void => {
    if (!this.wheel && !event.ctrlKey) return;
    event.preventDefault();
    const box = this.view.getBoundingClientRect();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
    this.zoomBy(Math.exp(-pixels / 400), event.clientX - box.left, event.clientY - box.top);
  };

  private readonly press = (event: PointerEvent): void => {
    if (event.button !== 0 || this.broken) return;
    this.fingers.set(event.pointerId, event);
    this.held = true;
    this.view.setPointerCapture(event.pointerId);
  };

  private readonly drag = (event: PointerEvent): void => {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const other = [...this.fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    this.fingers.set(event.pointerId, event);
    if (other) {
      const box = this.view.getBoundingClientRect();
      const spread = (finger: PointerEvent): number =>
        Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
      const x = (event.clientX + other.clientX) / 2 - box.left;
      const y = (event.clientY + other.clientY) / 2 - box.top;
      this.zoomBy(spread(event) / Math.max(spread(before), 1), x, y);
    }
    const share = other ? 0.5 : 1;
    this.moveBy((event.clientX - before.clientX) * share, (event.clientY - before.clientY) * share);
  };

  private readonly release = (event: PointerEvent): void => {
    this.fingers.delete(event.pointerId);
    this.held = this.fingers.size > 0;
  };

  private readonly pressKey = (event: KeyboardEvent): void => {
    const direction = readArrow(event);
    if (!direction) return;
    event.preventDefault();
    this.moveBy(...direction);
  };

  override render(): TemplateResult {
    const { scale, x, y } = this.placement;
    const overlay = readOverlay(this.overlay);
    const classes = ["view", this.fitted ? "" : "zoomed", this.held ? "held" : ""].join(" ");
    const place = `transform: translate(${x}px, ${y}px) scale(${scale})`;
    return html`
      <div
        class=${classes}
        tabindex="0"
        role="group"
        aria-label="Image. Plus and minus zoom, the arrow keys move it."
        @pointerdown=${this.press}
        @pointermove=${this.drag}
        @pointerup=${this.release}
        @pointercancel=${this.release}
        @keydown=${this.pressKey}
        @dblclick=${(): void => this.fitImage()}
      >
        <div class="picture ${scale > 4 ? "coarse" : ""}" style=${place} ?hidden=${this.broken}>
          ${this.src
            ? html`<img
                class="photo"
                crossorigin=${this.isForAll ? "anonymous" : nothing}
                src=${this.src}
                alt="The image to label"
                draggable="false"
                @load=${this.loaded}
                @error=${this.failed}
              />`
            : nothing}
          ${this.showsOverlay && this.size ? this.renderOverlay(overlay, this.size) : nothing}
        </div>
        ${this.broken
          ? html`<div class="broken" role="alert">
              <p>
                <strong>This image cannot be shown.</strong> If it stays away when you load the page
                again, say that it cannot be labelled.
              </p>
            </div>`
          : nothing}
      </div>
      <div class="tools" role="group" aria-label="Image tools">
        <button @click=${(): void => this.zoomBy(STEP)} aria-keyshortcuts="+">Zoom in</button>
        <button @click=${(): void => this.zoomBy(1 / STEP)} aria-keyshortcuts="-">Zoom out</button>
        <button @click=${(): void => this.fitImage()} aria-keyshortcuts="f">Fit image</button>
        <button @click=${(): void => this.view.focus()} title="Drag the image, or use the arrow keys">Move</button>
        <span class="rate">${Math.round(scale * 100)} %</span>
        ${overlay
          ? html`<label>
              <input
                type="checkbox"
                .checked=${this.showsOverlay}
                @change=${(): void => void (this.showsOverlay = !this.showsOverlay)}
              />
              Show the labels
            </label>`
          : nothing}
      </div>
      ${overlay && this.showsOverlay
        ? html`<ul class="legend">
            ${Object.entries(overlay.colors).map(
              ([label, color]) => html`<li><span style="background: ${color}"></span>${label}</li>`,
            )}
          </ul>`
        : nothing}
    `;
  }

  private renderOverlay(overlay: Overlay | null, size: Size): unknown {
    if (!overlay) return nothing;
    return html`
      ${overlay.mask ? until(this.showMask(overlay.mask)) : nothing}
      <svg viewBox="0 0 ${size.width} ${size.height}" preserveAspectRatio="none" aria-hidden="true">
        ${overlay.boxes.map((box) => box.render())}
      </svg>
    `;
  }

  /** The mask with a clear background; as its file has it where that cannot be read. */
  private showMask(src: string): Promise<unknown> {
    if (this.mask?.src !== src) {
      const shown = loadMask(src)
        .then((canvas) => {
          canvas.className = "mask";
          canvas.setAttribute("role", "img");
          canvas.setAttribute("aria-label", OVERLAY_NAME);
          return canvas as unknown;
        })
        .catch(() => html`<img class="mask" src=${src} alt=${OVERLAY_NAME} />`);
      this.mask = { src, shown };
    }
    return this.mask.shown;
  }

  /** Take a key of the whole page; gives whether it was one of the viewer's. */
  takeKey(key: string): boolean {
    if (key === "+" || key === "=") this.zoomBy(STEP);
    else if (key === "-") this.zoomBy(1 / STEP);
    else if (key === "f") this.fitImage();
    else return false;
    return true;
  }
}
