/** Predicted rows with the file's own columns. */

/**
 * @param {string} target
 * @param {object} answer of `POST /v1/predict` for a file, with `append` and `nearest`
 * @param {{lower: number[], upper: number[]} | null} interval
 * @returns {{target: string, columns: string[], classes: string[], rows: object[]}} a row has its number from 1, its
 *   value, bounds or probability, all `probabilities`, its own cells, and `near`: the known rows most like it
 */
export function predictedRows(target, answer, interval) {
  const { appended, classes = [], probabilities, nearest = [] } = answer;
  const columns = Object.keys(appended.rows).filter((name) => name !== target);
  const rows = answer.rows.map((row, i) => ({
    number: row + 1,
    value: answer.prediction[i],
    probability: probabilities ? Math.max(...probabilities[i]) : null,
    probabilities: probabilities?.[i] ?? [],
    lower: interval?.lower[i] ?? null,
    upper: interval?.upper[i] ?? null,
    cells: columns.map((name) => appended.rows[name][i]),
    near: (nearest[i] ?? []).map((other, j) => ({
      number: other + 1,
      value: appended.nearest[target][i][j],
      cells: columns.map((name) => appended.nearest[name][i][j]),
    })),
  }));
  return { target, columns, classes, rows };
}

/** The least and the greatest of all predictions and bounds. */
export function endsOf(rows) {
  const values = rows.flatMap(({ value, lower, upper }) => (lower === null ? [value] : [value, lower, upper]));
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [values[0], values[0]]);
}
