/** Ridge regression and least squares with an intercept, by Cholesky's decomposition of the normal equations. */

const SMALLEST_PIVOT = 1e-10; // of a standardised column: below it, others determine it

/**
 * Fit to standardised columns, so that the penalty means the same for each.
 *
 * @param {number[][]} x N rows of D numbers
 * @param {number[]} y N numbers
 * @param {number} penalty α in |y − Xw|² + α|w|², on standardised columns; 0 is least squares
 * @returns {((row: number[]) => number) | null} null where the observations do not determine the weights
 */
export function fit(x, y, penalty) {
  const columns = x[0].map((_, j) => scaleOf(x.map((row) => row[j])));
  const mean = meanOf(y);
  const standard = (row) => columns.map((column, j) => (row[j] - column.mean) / column.spread);
  const rows = x.map(standard);
  const gram = columns.map((_, i) =>
    columns.map((_, j) => rows.reduce((sum, row) => sum + row[i] * row[j], 0) + (i === j ? penalty : 0)),
  );
  const right = columns.map((_, j) => rows.reduce((sum, row, i) => sum + row[j] * (y[i] - mean), 0));
  const weights = solve(gram, right, SMALLEST_PIVOT * x.length);
  return weights && ((row) => mean + standard(row).reduce((sum, value, j) => sum + value * weights[j], 0));
}

/** Solve A w = b for a symmetric positive definite A; null if a pivot is smaller than `smallest`. */
export function solve(A, b, smallest = 0) {
  const n = b.length;
  const L = A.map(() => new Array(n).fill(0));
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let rest = A[i][j];
      for (let k = 0; k < j; k += 1) rest -= L[i][k] * L[j][k];
      if (i === j && !(rest > smallest)) return null;
      L[i][j] = i === j ? Math.sqrt(rest) : rest / L[j][j];
    }
  }
  const w = [...b];
  for (let i = 0; i < n; i += 1) {
    for (let k = 0; k < i; k += 1) w[i] -= L[i][k] * w[k];
    w[i] /= L[i][i];
  }
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < n; k += 1) w[i] -= L[k][i] * w[k];
    w[i] /= L[i][i];
  }
  return w;
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean and standard deviation; a column that does not vary keeps its scale, and the penalty decides its weight. */
function scaleOf(values) {
  const mean = meanOf(values);
  const spread = Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
  return { mean, spread: spread > 0 ? spread : 1 };
}
