/** A table, a target and some features: the rows of the context, the held-out rows, and the scores of other methods. */

import { holdOut } from "./holdout.js";
import { fit } from "./least_squares.js";
import { r2 } from "./scores.js";

export const RIDGE = 1; // α, on standardised columns

/**
 * @param {{name: string, values: number[]}[]} columns
 * @returns {{seen: Rows, held: Rows}} with Rows = {numbers: number[], x: number[][], y: number[]}; numbers are the
 *   rows' places in the file, where the header is row 1
 */
export function problemOf(columns, target, features, share, seed) {
  const values = (name) => columns.find((column) => column.name === name).values;
  const [y, x] = [values(target), features.map(values)];
  const pick = (rows) => ({
    numbers: rows.map((row) => row + 2),
    x: rows.map((row) => x.map((column) => column[row])),
    y: rows.map((row) => y[row]),
  });
  const { seen, held } = holdOut(y.length, share, seed);
  return { seen: pick(seen), held: pick(held) };
}

/** R² on the held-out rows of a model's predictions, of ridge and of least squares; null where there is none. */
export function scoresOf({ seen, held }, predictions) {
  const of = (penalty) => {
    const predict = fit(seen.x, seen.y, penalty);
    return predict && r2(held.y, held.x.map(predict));
  };
  return { model: r2(held.y, predictions), ridge: of(RIDGE), leastSquares: of(0) };
}
