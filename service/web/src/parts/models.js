/** Descriptions of the served models; a model without one is described by its own summary. */

const WORDS = {
  nonlinear: [
    "Curves and interactions",
    "a curve for every column and, up to 13 columns, interactions of two; with intervals. Nothing to tune.",
  ],
  linear: [
    "Straight lines",
    "straight lines, with intervals. Exact and mergeable: contexts are joined, and rows taken out, without error.",
  ],
  "sine-4step-trained": [
    "Four steps, trained on sines",
    "four steps on features that were trained on random sines. For x between −5 and 5.",
  ],
  "sine-trained": ["One step, trained on sines", "the same with a single step."],
  "gd-8": [
    "Eight gradient steps",
    "from zero, on raw x and y: no intercept, so the line goes through 0 unless the features hold a 1.",
  ],
  "gd-1": ["One gradient step", "the paper's layer: a single step from zero, on raw x and y."],
  classifier: [
    "Curves and interactions",
    "the features of nonlinear on the classes, with probabilities. Nothing to tune.",
  ],
  "softmax-8": ["Eight steps on cross-entropy", "from zero, on raw x: no intercept unless the features hold a 1."],
  "softmax-1": ["One step on cross-entropy", "a single step from zero, on raw x."],
  "linear-trained": ["One step, trained", "ten features: training found gradient descent."],
  "linear-2step-trained": ["Two steps, trained", "ten features, two layers trained from random weights."],
};

/**
 * The models for a task, each in its highest version, in the order of WORDS and then of the service; the first is the default.
 *
 * @param {(model: object) => boolean} fits
 * @throws {Error} there is none
 */
export function fitting(models, task, fits = () => true) {
  const order = Object.keys(WORDS);
  const place = ({ name }) => (order.includes(name) ? order.indexOf(name) : order.length);
  const highest = models.filter(({ name }, i) => models.findIndex((other) => other.name === name) === i);
  const found = highest.filter((model) => model.task === task && fits(model)).sort((a, b) => place(a) - place(b));
  if (!found.length) throw new Error(`None of the served models is for ${task}. See GET /v1/models.`);
  return found;
}

/** Whether it can be shown D features. */
export const takes = (model, D) => model.dims.D === "any" || model.dims.D === D;

/** Whether it can predict K outputs. */
export const gives = (model, K) => model.dims.K === "any" || model.dims.K === K;

export const nameOf = ({ name }) => WORDS[name]?.[0] ?? name;
export const aboutOf = ({ name, summary }) => `${name}: ${WORDS[name]?.[1] ?? summary}`;

/** Whether it takes gradient steps of a length that the caller may choose. */
export const hasRate = ({ parameters }) => parameters.some(({ name }) => name === "learning_rate");
