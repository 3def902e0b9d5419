/** The photograph under the mask: its stored pixels, whatever EXIF says, moved by a transform. */
import type { Placement, Size } from "../elements/geometry";

const COARSE = 4; // scale above which each pixel is a sharp square, as in the classifier's viewer

export class Photo {
  /** Fills its parent, which it is put in under the mask. */
  readonly element = document.createElement("div");
  readonly size: Size;

  private constructor(private readonly picture: HTMLImageElement) {
    this.size = { width: picture.naturalWidth, height: picture.naturalHeight };
    this.element.style.cssText =
      "position: absolute; inset: 0; overflow: hidden; contain: strict; pointer-events: none;";
    this.element.append(picture);
  }

  /** Load a photograph; rejects with a text for the worker if it cannot be shown. */
  static async open(src: string): Promise<Photo> {
    // Browsers turn an image by its EXIF data unless it is of the page's own origin, or says that
    // everybody may read it. One that says nothing is shown nevertheless.
    const picture = await load(src, "anonymous").catch(() => load(src, null));
    return new Photo(picture);
  }

  /** Move it in its view; cheap enough for every move of the pointer. */
  place({ scale, x, y }: Placement): void {
    this.picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.picture.style.imageRendering = scale > COARSE ? "pixelated" : "auto";
  }

  /** Change brightness and contrast; 1 is as it is. */
  adjust(brightness: number, contrast: number): void {
    const isPlain = brightness === 1 && contrast === 1;
    this.element.style.filter = isPlain ? "" : `brightness(${brightness}) contrast(${contrast})`;
  }

  /** Let go of what it holds. */
  close(): void {
    this.element.remove();
    this.picture.src = "";
  }
}

async function load(src: string, crossOrigin: string | null): Promise<HTMLImageElement> {
  const picture = new Image();
  picture.crossOrigin = crossOrigin;
  picture.alt = "The image to label";
  picture.draggable = false;
  picture.style.cssText =
    "position: absolute; left: 0; top: 0; max-width: none; transform-origin: 0 0; image-orientation: none;";
  picture.src = src;
  await new Promise((resolve, reject) => {
    picture.onload = resolve;
    picture.onerror = () =>
      reject(
        new Error(
          "This image cannot be shown. If it stays away when you load the page again, say that it cannot be labelled.",
        ),
      );
  });
  return picture;
}
