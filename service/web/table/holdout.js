/** Rows to learn from and rows to be asked about. */

import { randomFrom, shuffled } from "../tasks/random.js";

/** @returns {{seen: number[], held: number[]}} row numbers in order; at least one is seen, and two are held out if there are three */
export function holdOut(rows, share, seed) {
  const held = Math.min(rows - 1, Math.max(2, Math.round(rows * share)));
  const order = shuffled(
    Array.from({ length: rows }, (_, i) => i),
    randomFrom(seed),
  );
  const ascending = (a, b) => a - b;
  return { held: order.slice(0, held).sort(ascending), seen: order.slice(held).sort(ascending) };
}
