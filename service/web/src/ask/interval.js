/** The interval that the page asks for, of the models that give one. */

const LEVEL = 0.9; // the words of index.html name it too

/** Ask for the interval as well, where the model gives one. */
export const withInterval = (request, model) => (model.gives_scale ? { ...request, interval: LEVEL } : request);

/**
 * @param {object} [answer] of POST /v1/predict
 * @returns {{lower: number[], upper: number[]} | null} null where there is none: the model gives none, or there is
 *   one observation
 */
export function intervalOf(answer) {
  const { interval } = answer ?? {};
  return interval && !interval.lower.includes(null) ? interval : null;
}
