/** Rows with a known target: its value, the prediction from other rows, and the interval if there is one. */

import { shown } from "../parts/numbers.js";

/**
 * @param {{rows: number[], target: number[], prediction: number[], lower?: number[], upper?: number[]}} held
 *   `held_out` of `POST /v1/assess`
 * @returns {{row: number, x: number, y: number, lower: number | null, upper: number | null, words: string}[]} x is the
 *   true value, y the prediction, row the place in the file, from 1
 */
export function pairsOf({ rows, target, prediction, lower, upper }) {
  return rows.map((row, i) => {
    const bounds = lower ? { lower: lower[i], upper: upper[i] } : { lower: null, upper: null };
    const pair = { row: row + 1, x: target[i], y: prediction[i], ...bounds };
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
