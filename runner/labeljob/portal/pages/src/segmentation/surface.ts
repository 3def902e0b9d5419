/** Photograph, mask, guides and pointer: the part of the editor that is looked at and painted on. */
import { LitElement, css, html, nothing, render, type TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { fit, hold, readArrow, zoom, type Placement, type Size } from "../elements/geometry";
import { shared } from "../elements/styles";
import type { Point, Rect } from "./geometry";
import { MaskView } from "./mask_view";
import type { Painting } from "./painting";
import type { Photo } from "./photo";
import type { Pixels, Tool } from "./tool";

const NOTCH = 40; // pixels of the wheel for one step of a tool
const PAINTS = 1; // the button that paints, among those that are down
const MOVES = 4; // the button that moves the image

/** A part of the image in the view, for one of the same kind. */
export interface Look {
  scale: number;
  /** What is in the middle of the view, as a share of the image's width and height. */
  x: number;
  y: number;
}

/** What the pointer is down for. */
type Press =
  | { kind: "tool"; id: number; isPen: boolean; isMoving: boolean }
  | { kind: "move"; id: number }
  | { kind: "fingers" };

@customElement("labeljob-surface")
export class Surface extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; min-height: 0; min-width: 0; }
      .view {
        position: relative; height: 100%; overflow: hidden; touch-action: none; user-select: none; -webkit-user-select: none;
        background: light-dark(#e9ecf1, #0b0d10); cursor: default;
      }
      /* Round corners, or an outline above the picture, would have the browser draw all of it again
         for each move of the pointer. */
      .view:focus-visible { outline: none; box-shadow: 0 0 0 3px var(--crowd-accent); }
      .view.ring, .view.cross { cursor: crosshair; }
      .view.movable { cursor: grab; }
      .view.moving { cursor: grabbing; }
      canvas, svg { position: absolute; left: 0; top: 0; width: 100%; height: 100%; pointer-events: none; }
      svg { overflow: hidden; }
      svg * { vector-effect: non-scaling-stroke; }
      .edge { fill: none; stroke: #000; stroke-width: 3.5; stroke-opacity: 0.7; stroke-linejoin: round; }
      .line { fill: rgb(255 255 255 / 12%); stroke: #fff; stroke-width: 1.5; stroke-linejoin: round; }
      .dot { fill: #fff; stroke: #000; stroke-width: 1; }
      .dot.first { fill: #ffd34d; }
      .circle {
        position: absolute; left: 0; top: 0; border: 1px solid #fff; border-radius: 50%; pointer-events: none;
        box-shadow: 0 0 0 1px #000, inset 0 0 0 1px #000;
      }
    `,
  ];

  /** Whether the wheel alone zooms; else only with Ctrl, and the page scrolls. */
  @property({ type: Boolean }) wheel = false;
  /** Whether nothing can be painted. */
  @property({ type: Boolean }) locked = false;
  /** The class of the page's cursor while nothing is held. */
  @state() private cursor: Tool["cursor"] = "none";
  @state() private isMovable = false; // the space bar is held
  @state() private isMoving = false;
  @query(".view") private view!: HTMLElement;
  @query(".circle") private circle!: HTMLElement;
  @query("svg g") private guide!: SVGGElement;

  readonly mask = new MaskView();
  private photo: Photo | null = null;
  private tool: Tool | null = null;
  private placement: Placement = { scale: 1, x: 0, y: 0 };
  private isFitted = true;
  private look: Look | null = null; // to be taken as soon as there is room
  private press: Press | null = null;
  private readonly fingers = new Map<number, Point>(); // in the view
  private hasPen = false; // then a finger moves the image and does not paint
  private pointer: Point | null = null; // of a mouse or pen, in the view
  private turned = 0; // by the wheel, since the last step
  private frame = 0;
  private isPlaced = false; // photograph and guide are where they belong
  private readonly resized = new ResizeObserver((entries) => this.fill(entries.at(-1)!));

  /** The image is moved, zoomed or shown in another size. */
  onPlace: () => void = () => undefined;

  get scale(): number {
    return this.placement.scale;
  }

  /** Whether a press, or the shape that it draws, is under way. */
  get isPressed(): boolean {
    return this.press?.kind === "tool";
  }

  /** Where the pointer is, in pixels of the image. */
  get pointed(): Point | null {
    return this.pointer && this.toImage(this.pointer);
  }

  open(photo: Photo, painting: Painting): void {
    this.photo = photo;
    this.mask.painting = painting;
    this.view.prepend(photo.element, this.mask.canvas);
    this.settle();
  }

  /** Show nothing, and let nothing be painted. */
  close(): void {
    this.photo?.element.remove();
    this.mask.canvas.remove();
    this.photo = this.mask.painting = null;
    this.press = null; // what is under way is given up
    this.fingers.clear();
    this.isFitted = true;
  }

  use(tool: Tool): void {
    this.tool = tool;
    this.cursor = tool.cursor;
    this.requestFrame();
  }

  /** The image's part in the view; null while all of it is. */
  get kept(): Look | null {
    if (!this.photo || this.isFitted) return null;
    const { width, height } = this.photo.size;
    const middle = this.toImage({ x: this.room.width / 2, y: this.room.height / 2 });
    return { scale: this.scale, x: middle.x / width, y: middle.y / height };
  }

  /** Show such a part of this image; null: all of it. */
  set kept(look: Look | null) {
    this.look = look;
    this.isFitted = look === null;
    this.settle();
  }

  fitImage(): void {
    this.isFitted = true;
    this.settle();
  }

  /** Zoom by a factor about the pointer, or about the middle of the view. */
  zoomBy(factor: number): void {
    const { x, y } = this.pointer ?? { x: this.room.width / 2, y: this.room.height / 2 };
    this.zoomAt(factor, x, y);
  }

  /** Show each pixel of the image as one of the page's. */
  zoomToPixels(): void {
    this.zoomBy(1 / this.scale);
  }

  /** While the space bar is held, the pointer moves the image. */
  holdSpace(isHeld: boolean): void {
    this.isMovable = isHeld;
    if (!isHeld) this.resume();
  }

  /** Show the rectangle of the image that changed with the next frame; null: all of it. */
  change(rect: Rect | null): void {
    this.mask.change(rect);
    this.requestFrame();
  }

  preview(pixels: Pixels | null): void {
    this.mask.show(pixels);
    this.requestFrame();
  }

  /** Show guide and ring as they are now, and what changed of the mask, with the next frame. */
  requestFrame(): void {
    this.frame ||= requestAnimationFrame(() => this.drawFrame());
  }

  override focus(): void {
    this.view.focus({ preventScroll: true });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.observe();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  override firstUpdated(): void {
    this.view.addEventListener("wheel", this.turn, { passive: false });
    this.observe();
  }

  private observe(): void {
    try {
      this.resized.observe(this.view, { box: "device-pixel-content-box" });
    } catch {
      this.resized.observe(this.view); // Safari does not tell
    }
  }

  // --- where the image is ------------------------------------------------------------------------

  private get room(): Size {
    return { width: this.view.clientWidth, height: this.view.clientHeight };
  }

  private fill(entry: ResizeObserverEntry): void {
    const { width, height } = this.room;
    if (width === 0 || height === 0) return;
    const [device] = entry.devicePixelContentBoxSize ?? [];
    const ratio = window.devicePixelRatio;
    const size = device
      ? { width: device.inlineSize, height: device.blockSize }
      : { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    this.mask.resize(size, { width, height });
    this.settle();
    this.drawFrame(); // a canvas that was given a size is empty
  }

  private settle(): void {
    const { room } = this;
    if (!this.photo || room.width === 0) return;
    const { size } = this.photo;
    if (this.look) {
      const { x, y } = this.look;
      const scale = zoom(fit(size, room), this.look.scale / fit(size, room).scale, 0, 0, size, room).scale;
      this.place({ scale, x: room.width / 2 - x * size.width * scale, y: room.height / 2 - y * size.height * scale });
      this.look = null;
      this.isFitted = scale === fit(size, room).scale;
    } else {
      this.place(this.isFitted ? fit(size, room) : this.placement);
    }
  }

  private place(placement: Placement): void {
    this.placement = hold(placement, this.photo!.size, this.room);
    this.mask.place(this.placement);
    this.isPlaced = false;
    this.requestFrame();
    this.onPlace();
  }

  private zoomAt(factor: number, x: number, y: number): void {
    if (!this.photo) return;
    const { size } = this.photo;
    this.place(zoom(this.placement, factor, x, y, size, this.room));
    this.isFitted = this.scale === fit(size, this.room).scale;
    if (this.press?.kind === "tool") this.tool?.jump?.(this.toImage({ x, y }));
  }

  private moveBy(x: number, y: number): void {
    if (!this.photo) return;
    this.place({ ...this.placement, x: this.placement.x + x, y: this.placement.y + y });
  }

  private toImage({ x, y }: Point): Point {
    const { placement } = this;
    return { x: (x - placement.x) / placement.scale, y: (y - placement.y) / placement.scale };
  }

  private drawFrame(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { placement, tool } = this;
    if (!this.photo) return;
    if (!this.isPlaced) {
      this.photo.place(placement);
      this.guide.setAttribute("transform", `translate(${placement.x} ${placement.y}) scale(${placement.scale})`);
      this.isPlaced = true;
    }
    if (this.mask.isDue) this.mask.draw();
    render(tool?.renderGuide?.() ?? nothing, this.guide);
    this.drawCircle();
  }

  private drawCircle(): void {
    const { style } = this.circle;
    const radius = (this.tool?.radius ?? 0) * this.scale;
    const isShown = this.tool?.cursor === "ring" && this.pointer !== null && !this.isMovable && !this.isMoving;
    style.visibility = isShown ? "visible" : "hidden";
    if (!isShown || !this.pointer) return;
    style.width = style.height = `${2 * radius}px`;
    style.transform = `translate(${this.pointer.x - radius}px, ${this.pointer.y - radius}px)`;
  }

  // --- the pointer -------------------------------------------------------------------------------

  private locate(event: MouseEvent): Point {
    const box = this.view.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private readonly down = (event: PointerEvent): void => {
    if (!this.photo || !this.tool) return;
    this.focus();
    event.preventDefault(); // no drag, no selection, no scrolling by the middle button
    const at = this.locate(event);
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, at);
    } else {
      this.pointer = at;
    }
    if (event.pointerType === "pen") this.hasPen = true;
    if (this.fingers.size === 2) {
      if (this.press?.kind === "tool") this.tool.cancel();
      this.press = { kind: "fingers" };
    }
    if (this.press) return;
    const isFinger = event.pointerType === "touch";
    if (event.button === 1 || this.isMovable || (isFinger && this.hasPen)) {
      this.press = { kind: "move", id: event.pointerId };
      this.isMoving = true;
    } else if (this.locked) {
      return;
    } else if (event.button === 0 || (event.pointerType === "pen" && event.button === 5)) {
      const isPen = event.pointerType !== "mouse";
      this.press = { kind: "tool", id: event.pointerId, isPen, isMoving: false };
      this.tool.press(this.toImage(at), event);
    } else {
      return;
    }
    this.view.setPointerCapture(event.pointerId);
    this.requestFrame();
  };

  private readonly move = (event: PointerEvent): void => {
    if (!this.photo || !this.tool) return;
    const isFinger = event.pointerType === "touch";
    const at = this.locate(event);
    const before = isFinger ? this.fingers.get(event.pointerId) : this.pointer;
    if (!isFinger) this.pointer = at;
    else if (before) this.fingers.set(event.pointerId, at);
    const { press } = this;
    if (press === null) {
      if (!isFinger) this.tool.hover?.(this.toImage(at));
    } else if (press.kind === "fingers") {
      if (before) this.pinch(event.pointerId, before, at);
    } else if (press.id !== event.pointerId) {
      return;
    } else if (press.kind === "move") {
      if (before) this.moveBy(at.x - before.x, at.y - before.y);
    } else if (this.isMovable || (!press.isPen && event.buttons & MOVES)) {
      press.isMoving = this.isMoving = true;
      if (before) this.moveBy(at.x - before.x, at.y - before.y);
    } else {
      this.resume();
      if (!press.isPen && !(event.buttons & PAINTS)) this.up(event);
      else this.drag(event);
    }
    this.requestFrame();
  };

  /** Each place where the pointer was since the last event, as far as the browser knows them. */
  private drag(event: PointerEvent): void {
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) this.tool?.drag(this.toImage(this.locate(step)), step);
  }

  /** Go on painting where the pointer is, after the image was moved under it. */
  private resume(): void {
    if (this.press?.kind !== "tool" || !this.press.isMoving) return;
    this.press.isMoving = this.isMoving = false;
    const [finger] = this.fingers.values();
    const at = this.pointer ?? finger;
    if (at) this.tool?.jump?.(this.toImage(at));
  }

  private readonly up = (event: PointerEvent): void => {
    this.fingers.delete(event.pointerId);
    const { press } = this;
    if (press?.kind === "fingers") {
      if (this.fingers.size === 0) this.press = null;
    } else if (press?.id === event.pointerId) {
      this.resume();
      this.press = null;
      this.isMoving = false;
      if (press.kind === "tool") this.tool?.release(this.toImage(this.locate(event)), event);
    }
    if (event.pointerType === "touch") this.pointer = null;
    this.requestFrame();
  };

  private readonly lose = (event: PointerEvent): void => {
    this.fingers.delete(event.pointerId);
    const { press } = this;
    if (press?.kind === "tool" && press.id === event.pointerId) this.tool?.cancel();
    if (press?.kind !== "fingers" || this.fingers.size === 0) this.press = null;
    this.isMoving = false;
    this.requestFrame();
  };

  private readonly leave = (event: PointerEvent): void => {
    if (event.pointerType === "touch" || this.press) return;
    this.pointer = null;
    this.tool?.hover?.(null);
    this.requestFrame();
  };

  private pinch(id: number, before: Point, at: Point): void {
    const other = [...this.fingers].find(([finger]) => finger !== id)?.[1];
    if (other) {
      const spread = (finger: Point): number => Math.max(1, Math.hypot(finger.x - other.x, finger.y - other.y));
      this.zoomAt(spread(at) / spread(before), (at.x + other.x) / 2, (at.y + other.y) / 2);
    }
    const share = other ? 0.5 : 1;
    this.moveBy((at.x - before.x) * share, (at.y - before.y) * share);
  }

  private readonly turn = (event: WheelEvent): void => {
    if (!this.wheel && !event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const delta = event.deltaY || event.deltaX; // browsers turn the wheel sideways with Shift
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? delta * 16 : delta;
    if (!event.shiftKey) {
      const { x, y } = this.locate(event);
      this.zoomAt(Math.exp(-pixels / 400), x, y);
      return;
    }
    this.turned -= pixels;
    const steps = Math.trunc(this.turned / NOTCH);
    this.turned -= steps * NOTCH;
    for (let step = 0; step < Math.abs(steps); step++) this.tool?.turn?.(Math.sign(steps));
  };

  private readonly pressKey = (event: KeyboardEvent): void => {
    const direction = readArrow(event);
    if (!direction) return;
    event.preventDefault();
    this.moveBy(...direction);
  };

  override render(): TemplateResult {
    const held = this.isMoving ? "moving" : this.isMovable ? "movable" : this.cursor;
    return html`
      <div
        class="view ${held}"
        tabindex="0"
        role="application"
        aria-label="Image to paint on. Plus and minus zoom, the arrow keys move it."
        @pointerdown=${this.down}
        @pointermove=${this.move}
        @pointerup=${this.up}
        @pointercancel=${this.lose}
        @pointerleave=${this.leave}
        @keydown=${this.pressKey}
        @contextmenu=${(event: Event): void => event.preventDefault()}
      >
        <svg aria-hidden="true"><g></g></svg>
        <div class="circle" style="visibility: hidden"></div>
      </div>
    `;
  }
}
