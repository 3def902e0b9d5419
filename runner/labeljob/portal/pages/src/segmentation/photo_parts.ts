/** A large photograph in parts that the portal cuts: those in view, as fine as can be seen. */
import type { Placement, Size } from "../elements/geometry";

const PAUSE = 50; // milliseconds after a move in which no part is asked for
const PATIENCE = 2000; // milliseconds until a part that did not come is asked for again
const MARGIN = 0.2; // of the view, at each of its sides, in which parts are loaded too

/** As the portal describes it: each level has half the columns and rows of the one before. */
interface Layout {
  size: Size;
  side: number; // columns and rows of pixels of a part
  levels: number;
}

export class PartedPicture {
  /** As large as the photograph; parts lie in it at their places. */
  readonly element = document.createElement("div");
  readonly size: Size;
  private readonly parts = new Map<string, HTMLImageElement>();
  private readonly loaded = new Set<HTMLImageElement>();
  private wanted: Set<string>;
  private placement: Placement = { scale: 1, x: 0, y: 0 };
  private room: Size = { width: 0, height: 0 };
  private timer = 0;

  private constructor(
    private readonly src: string,
    private readonly layout: Layout,
  ) {
    this.size = layout.size;
    this.wanted = new Set([this.coarsest]);
    this.element.style.cssText = `overflow: hidden; width: ${this.size.width}px; height: ${this.size.height}px;`;
  }

  /** Load the coarsest level, which stays; null if the photograph is not to be had in parts. */
  static async open(src: string): Promise<PartedPicture | null> {
    const answer = await fetch(`${src}/parts`).catch(() => null);
    if (!answer?.ok) return null;
    const picture = new PartedPicture(src, (await answer.json()) as Layout);
    const whole = picture.add(picture.layout.levels - 1, 0, 0);
    try {
      await whole.decode();
      return picture;
    } catch {
      picture.close();
      return null;
    }
  }

  place(placement: Placement, room: Size): void {
    this.placement = placement;
    this.room = room;
    this.timer ||= window.setTimeout(this.update, PAUSE);
  }

  close(): void {
    window.clearTimeout(this.timer);
    for (const key of this.parts.keys()) this.remove(key);
  }

  /** Add the parts that are seen now. */
  private readonly update = (): void => {
    this.timer = 0;
    const { scale, x, y } = this.placement;
    const { width, height } = this.room;
    const shrunk = 1 / (scale * window.devicePixelRatio); // pixels of the photograph per one seen
    const level = Math.min(Math.max(Math.floor(Math.log2(shrunk) + 1e-6), 0), this.layout.levels - 1);
    const side = this.layout.side * 2 ** level; // of a part, in pixels of the photograph
    const range = (offset: number, view: number, length: number): [number, number] => [
      Math.max(Math.floor((-offset - MARGIN * view) / scale / side), 0),
      Math.min(Math.ceil((view * (1 + MARGIN) - offset) / scale / side), Math.ceil(length / side)),
    ];
    const [firstColumn, endColumn] = range(x, width, this.size.width);
    const [firstRow, endRow] = range(y, height, this.size.height);
    this.wanted = new Set([this.coarsest]);
    for (let column = firstColumn; column < endColumn; column++) {
      for (let row = firstRow; row < endRow; row++) {
        this.wanted.add(this.name(level, column, row));
        this.add(level, column, row);
      }
    }
    this.removeOthers();
  };

  /** The part that shows all of the photograph. */
  private get coarsest(): string {
    return this.name(this.layout.levels - 1, 0, 0);
  }

  private name(level: number, column: number, row: number): string {
    return `${level}/${column}/${row}`;
  }

  private add(level: number, column: number, row: number): HTMLImageElement {
    const key = this.name(level, column, row);
    const known = this.parts.get(key);
    if (known) return known;
    const pixel = 2 ** level;
    const side = this.layout.side * pixel;
    const part = new Image();
    part.crossOrigin = "anonymous";
    part.alt = "";
    part.draggable = false;
    part.style.cssText = `position: absolute; max-width: none; left: ${column * side}px; top: ${row * side}px; z-index: ${this.layout.levels - level};`;
    part.src = `${this.src}/parts/${key}`;
    part.onload = () => {
      // The last column and row of a level may show more than the photograph has.
      part.style.width = `${part.naturalWidth * pixel}px`;
      part.style.height = `${part.naturalHeight * pixel}px`;
      this.loaded.add(part);
      this.removeOthers();
    };
    part.onerror = () => {
      window.setTimeout(() => {
        if (this.parts.get(key) !== part) return;
        this.remove(key);
        this.place(this.placement, this.room);
      }, PATIENCE);
    };
    this.parts.set(key, part);
    this.element.append(part);
    return part;
  }

  /** Remove what is not seen any more, once all that is seen has come. */
  private removeOthers(): void {
    const isComplete = [...this.wanted].every((key) => {
      const part = this.parts.get(key);
      return part !== undefined && this.loaded.has(part);
    });
    for (const [key, part] of this.parts) {
      if (!this.wanted.has(key) && (isComplete || !this.loaded.has(part))) this.remove(key);
    }
  }

  private remove(key: string): void {
    const part = this.parts.get(key);
    if (!part) return;
    this.parts.delete(key);
    this.loaded.delete(part);
    part.onload = part.onerror = null;
    part.remove();
    part.src = "";
  }
}
