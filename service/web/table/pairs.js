/** Held-out rows: the true value of each, its prediction, and the interval if there is one. */

import { shown } from "../parts/numbers.js";

/**
 * @param {{numbers: number[], y: number[]}} held rows of `problemOf`
 * @param {number[]} prediction
 * @param {{lower: number[], upper: number[]} | null} interval
 * @returns {{row: number, x: number, y: number, lower: number | null, upper: number | null, words: string}[]} x is the
 *   true value, y the prediction, row the place in the file
 */
export function pairsOf(held, prediction, interval) {
  return held.numbers.map((row, i) => {
    const [lower, upper] = interval ? [interval.lower[i], interval.upper[i]] : [null, null];
    const pair = { row, x: held.y[i], y: prediction[i], lower, upper };
    return { ...pair, words: wordsOf(pair) };
  });
}

/** Whether there is an interval and the true value is in it. */
export const isInside = ({ x, lower, upper }) => lower !== null && lower <= x && x <= upper;

/** The least and the greatest of all values, predictions and bounds. */
export function endsOf(pairs) {
  const values = pairs.flatMap(({ x, y, lower, upper }) => (lower === null ? [x, y] : [x, y, lower, upper]));
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [values[0], values[0]]);
}

function wordsOf({ row, x, y, lower, upper }) {
  const interval = lower === null ? "" : ` (${shown(lower)} to ${shown(upper)})`;
  return `row ${row}: true ${shown(x)}, predicted ${shown(y)}${interval}`;
}
