/** What the served models are good for; a model without an entry is described by its own summary. */

export const WORDS = {
  nonlinear: [
    "Most tables: curves and interactions",
    "a curve for every column and, up to 13 columns, interactions of two; with intervals. Nothing to tune.",
  ],
  linear: [
    "Straight relations, exact removal",
    "straight lines, with intervals. Exact and mergeable: contexts are joined, and rows taken out, without error.",
  ],
  "sine-4step-trained": [
    "Sine waves, four trained steps",
    "four steps on features that were trained on random sines. For x between −5 and 5.",
  ],
  "sine-trained": ["Sine waves, one trained step", "the same with a single step."],
  "gd-8": [
    "Studies: eight gradient steps",
    "from zero, on raw x and y: no intercept, so the line goes through 0 unless the features hold a 1.",
  ],
  "gd-1": ["Studies: one gradient step", "the paper's layer: a single step from zero, on raw x and y."],
  classifier: [
    "Most classes: curved borders",
    "the features of nonlinear on the classes, with probabilities. Nothing to tune.",
  ],
  "softmax-8": ["Studies: eight steps on cross-entropy", "from zero, on raw x: no intercept unless the features hold a 1."],
  "softmax-1": ["Studies: one step on cross-entropy", "a single step from zero, on raw x."],
  "linear-trained": ["Studies: one trained step", "ten features: training found gradient descent."],
  "linear-2step-trained": ["Studies: two trained steps", "ten features, two layers trained from random weights."],
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
