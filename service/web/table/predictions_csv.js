/** Predictions as a CSV file; their columns are named as the service and `gdssm predict` name them. */

const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/**
 * @param {{target: string, columns: string[], classes: string[], rows: object[]}} predicted as of `predictedRows`
 * @returns {string} the file's own columns, then the predictions; bounds and probabilities only if there are any
 */
export function predictionsCsv({ target, columns, classes, rows }) {
  const bounded = rows.some(({ lower }) => lower !== null);
  const heads = [
    ...columns,
    target,
    ...(bounded ? [`${target}_lower`, `${target}_upper`] : []),
    ...classes.map((name) => `${target}=${name}`),
  ];
  const lines = rows.map(({ cells, value, lower, upper, probabilities }) =>
    [...cells.map((cell) => cell ?? ""), value, ...(bounded ? [lower ?? "", upper ?? ""] : []), ...probabilities]
      .map((cell) => quoted(String(cell)))
      .join(","),
  );
  return [heads.map(quoted).join(","), ...lines, ""].join("\r\n");
}
