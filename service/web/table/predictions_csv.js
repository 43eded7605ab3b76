/** Predictions as a CSV file; the columns of bounds are named as `gdssm predict` names them. */

const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/**
 * @param {string} target
 * @param {{row: number, x: number, y: number, lower: number | null, upper: number | null}[]} pairs the row in the file, the
 *   true value, the prediction and its bounds
 * @returns {string} with a header; columns of bounds only if there are any
 */
export function predictionsCsv(target, pairs) {
  const bounded = pairs.some(({ lower }) => lower !== null);
  const columns = ["row", `${target}_true`, target, ...(bounded ? [`${target}_lower`, `${target}_upper`] : [])];
  const lines = pairs.map(({ row, x, y, lower, upper }) => [row, x, y, ...(bounded ? [lower, upper] : [])].join(","));
  return [columns.map(quoted).join(","), ...lines, ""].join("\r\n");
}
