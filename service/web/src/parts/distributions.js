/** Distributions of tasks in words; none has the name of a model. */

export const DISTRIBUTIONS = {
  linear: "linear tasks",
  "linear-vector": "linear tasks, ten outputs",
  "inputs-1.5x": "inputs × 1.5",
  "inputs-2x": "inputs × 2",
  "inputs-3x": "inputs × 3",
  "weights-2x": "weights × 2",
  "weights-3x": "weights × 3",
  sine: "sine waves",
  noisy: "noise",
  sparse: "few relevant inputs",
  "correlated-10": "correlation 10",
  "correlated-100": "correlation 100",
  "correlated-noisy": "correlation and noise",
  "heavy-tailed-noise": "heavy-tailed noise",
  "heavy-tailed-inputs": "heavy-tailed inputs",
  "random-network": "random network",
  additive: "additive curves",
  friedman: "Friedman’s function",
  drift: "drift",
};

export const nameOfDistribution = (name) => DISTRIBUTIONS[name] ?? name;
