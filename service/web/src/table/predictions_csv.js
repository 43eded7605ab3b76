/** Predictions as a CSV file; their columns are named as the service and `gdssm predict` name them. */

import Papa from "papaparse";

/**
 * @param {{target: string, columns: string[], classes: string[], rows: object[]}} predicted as of `predictedRows`
 * @returns {string} the file's own columns, then the predictions; bounds and probabilities only if there are any
 */
export function predictionsCsv({ target, columns, classes, rows }) {
  const bounded = rows.some(({ lower }) => lower !== null);
  const fields = [
    ...columns,
    target,
    ...(bounded ? [`${target}_lower`, `${target}_upper`] : []),
    ...classes.map((name) => `${target}=${name}`),
  ];
  const data = rows.map(({ cells, value, lower, upper, probabilities }) => [
    ...cells,
    value,
    ...(bounded ? [lower, upper] : []),
    ...probabilities,
  ]);
  return `${Papa.unparse({ fields, data })}\r\n`;
}
