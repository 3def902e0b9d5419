import type { Size } from "./geometry";

/**
 * The size of an image as its pixels are stored, whatever EXIF data say. It has to lie in a page, in
 * its natural size and with `image-orientation: none`: the natural size itself is the turned one.
 */
export function findStoredSize(picture: HTMLImageElement): Size {
  const { naturalWidth, naturalHeight, offsetWidth, offsetHeight } = picture;
  const isTurned = offsetWidth > 0 && offsetWidth > offsetHeight !== naturalWidth > naturalHeight;
  return isTurned
    ? { width: naturalHeight, height: naturalWidth }
    : { width: naturalWidth, height: naturalHeight };
}
