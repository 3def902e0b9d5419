/** Where a picture lies in its view: a point of the picture, times `scale`, plus `x` and `y`. */

export interface Size {
  width: number;
  height: number;
}

export interface Placement {
  /** Pixels of the view per pixel of the picture. */
  scale: number;
  x: number;
  y: number;
}

const LARGEST_SCALE = 32;
const MOVE = 60; // pixels of the view for each press of an arrow key
const ARROWS: Readonly<Record<string, [x: number, y: number]>> = {
  ArrowLeft: [MOVE, 0],
  ArrowRight: [-MOVE, 0],
  ArrowUp: [0, MOVE],
  ArrowDown: [0, -MOVE],
};

/** How far an arrow key moves the picture; undefined for any other key. */
export function readArrow(event: KeyboardEvent): [x: number, y: number] | undefined {
  return event.altKey || event.ctrlKey || event.metaKey ? undefined : ARROWS[event.key];
}

/** The largest scale at which the whole picture is visible, with the picture in the middle. */
export function fit(picture: Size, view: Size): Placement {
  const scale = Math.min(view.width / picture.width, view.height / picture.height);
  return hold({ scale, x: 0, y: 0 }, picture, view);
}

/** Scale by a factor; the point of the picture under (`x`, `y`) of the view stays there. The
 * smallest scale shows the whole picture, but a small picture may also be as small as it is. */
export function zoom(
  placement: Placement,
  factor: number,
  x: number,
  y: number,
  picture: Size,
  view: Size,
): Placement {
  const smallest = Math.min(1, fit(picture, view).scale);
  const scale = clamp(placement.scale * factor, smallest, Math.max(LARGEST_SCALE, smallest));
  const ratio = scale / placement.scale;
  const moved = { scale, x: x - (x - placement.x) * ratio, y: y - (y - placement.y) * ratio };
  return hold(moved, picture, view);
}

/** Keep the picture in the view: centered where it is smaller, else without a gap at its edges. */
export function hold(placement: Placement, picture: Size, view: Size): Placement {
  const keep = (offset: number, length: number, room: number): number =>
    length <= room ? (room - length) / 2 : clamp(offset, room - length, 0);
  return {
    scale: placement.scale,
    x: keep(placement.x, picture.width * placement.scale, view.width),
    y: keep(placement.y, picture.height * placement.scale, view.height),
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
