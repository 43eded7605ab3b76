/** One prediction with its interval as a small horizontal error bar. */

import { element } from "./hands.js";

const ROOM = 4; // % left free at either end

/** @returns {(value: number) => string} where a value stands between two ends, in % of the width */
export function placeBetween(low, high) {
  const size = high - low || 1;
  return (value) => `${(ROOM + ((100 - 2 * ROOM) * (value - low)) / size).toFixed(2)}%`;
}

/** @param {{y: number, lower: number, upper: number}} bar; @param {(value: number) => string} place */
export function intervalMark({ y, lower, upper }, place) {
  const vertical = (value, [y1, y2], name) =>
    element("line", { x1: place(value), x2: place(value), y1, y2, class: name });
  return element(
    "svg",
    { class: "interval-mark", "aria-hidden": "true" },
    element("line", { x1: place(lower), x2: place(upper), y1: "50%", y2: "50%", class: "bar" }),
    vertical(lower, ["30%", "70%"], "bar"),
    vertical(upper, ["30%", "70%"], "bar"),
    vertical(y, ["15%", "85%"], "middle"),
  );
}
