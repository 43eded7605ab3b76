/** How good predictions are. */

/** R² = 1 − Σ(y − p)² / Σ(y − mean y)²; null if y does not vary. */
export function r2(y, predictions) {
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
  const total = y.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const left = y.reduce((sum, value, i) => sum + (value - predictions[i]) ** 2, 0);
  return total > 0 ? 1 - left / total : null;
}

export function standardDeviation(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
