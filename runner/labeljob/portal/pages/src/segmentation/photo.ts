/** The photograph under the mask: its stored pixels, whatever EXIF says, moved by a transform. */
import type { Placement, Size } from "../elements/geometry";
import { findStoredSize } from "../elements/stored_size";
import { PartedPicture } from "./photo_parts";

const COARSE = 4; // scale above which each pixel is a sharp square, as in the classifier's viewer
const LARGEST_WHOLE = 25_000_000; // pixels; four bytes each when a browser shows them
const LOOK = 30; // milliseconds between looks at whether the size is known

const CANNOT_BE_SHOWN =
  "This image cannot be shown. If it stays away when you load the page again, say that it cannot be labelled.";

export class Photo {
  /** Fills its parent, which it is put in under the mask. */
  readonly element = document.createElement("div");
  readonly size: Size;
  private readonly moved: HTMLElement;
  private readonly resized = new ResizeObserver(([entry]) => {
    if (entry) this.room = entry.contentRect;
    this.followParts();
  });
  private room: Size = { width: 0, height: 0 };
  private placement: Placement | null = null;

  private constructor(private readonly picture: HTMLImageElement | PartedPicture) {
    const isWhole = picture instanceof HTMLImageElement;
    this.size = isWhole ? measure(picture) : picture.size;
    this.moved = isWhole ? picture : picture.element;
    this.moved.style.position = "absolute";
    this.moved.style.transformOrigin = "0 0";
    this.element.style.cssText =
      "position: absolute; inset: 0; overflow: hidden; contain: strict; pointer-events: none;";
    this.element.append(this.moved);
    if (!isWhole) this.resized.observe(this.element);
  }

  /** Load a photograph; rejects with a text for the worker if it cannot be shown. */
  static async open(src: string): Promise<Photo> {
    // Browsers turn an image by its EXIF data unless it is of the page's own origin, or says that
    // everybody may read it. One that says nothing is shown nevertheless.
    return new Photo(await load(src, "anonymous").catch(() => load(src, null)));
  }

  /** Move it in its view; cheap enough for every move of the pointer. */
  place(placement: Placement): void {
    const { scale, x, y } = placement;
    this.placement = placement;
    this.moved.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.moved.style.imageRendering = scale > COARSE ? "pixelated" : "auto";
    this.followParts();
  }

  /** Change brightness and contrast; 1 is as it is. */
  adjust(brightness: number, contrast: number): void {
    const isPlain = brightness === 1 && contrast === 1;
    this.element.style.filter = isPlain ? "" : `brightness(${brightness}) contrast(${contrast})`;
  }

  /** Let go of what it holds. */
  close(): void {
    this.resized.disconnect();
    this.element.remove();
    if (this.picture instanceof PartedPicture) this.picture.close();
    else this.picture.src = "";
  }

  private followParts(): void {
    if (this.picture instanceof PartedPicture && this.placement) this.picture.place(this.placement, this.room);
  }
}

function measure(picture: HTMLImageElement): Size {
  const place = document.createElement("div");
  place.style.cssText = "position: absolute; width: 0; height: 0; overflow: hidden; visibility: hidden;";
  place.attachShadow({ mode: "open" }).append(picture); // out of the reach of the page's own style
  document.body.append(place);
  const size = findStoredSize(picture);
  place.remove();
  return size;
}

async function load(src: string, crossOrigin: string | null): Promise<HTMLImageElement | PartedPicture> {
  const picture = new Image();
  picture.crossOrigin = crossOrigin;
  picture.alt = "The image to label";
  picture.draggable = false;
  picture.style.cssText = "left: 0; top: 0; max-width: none; image-orientation: none;";
  const ended = new Promise<boolean>((resolve) => {
    picture.onload = () => resolve(true);
    picture.onerror = () => resolve(false);
  });
  picture.src = src;
  // The size is known long before all of a large file has come.
  let isOver = false;
  while (!isOver && picture.naturalWidth === 0) {
    const pause = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), LOOK));
    isOver = await Promise.race([ended.then(() => true), pause]);
  }
  if (picture.naturalWidth * picture.naturalHeight > LARGEST_WHOLE) {
    const parted = await PartedPicture.open(src);
    if (parted) {
      picture.src = "";
      return parted;
    }
  }
  if (!(await ended) || picture.naturalWidth === 0) throw new Error(CANNOT_BE_SHOWN);
  return picture;
}
