/**
 * Points and rectangles of a picture, in its pixels: pixel (i, j) covers [i, i + 1) x [j, j + 1), and
 * belongs to a shape if its center does.
 */

export interface Point {
  x: number;
  y: number;
}

/** Whole pixels: columns `x` to `x + width - 1` of rows `y` to `y + height - 1`. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The smallest rectangle that holds both. */
export function join(a: Rect | null, b: Rect | null): Rect | null {
  if (!a || !b) return a ?? b;
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
