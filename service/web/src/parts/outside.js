/** Says where an answer is that the frame of a plot does not show. */

import { shown } from "./numbers.js";

/**
 * @param {HTMLElement} element is hidden if everything is within the frame
 * @param {{min: number, max: number}} frame
 * @param {{name: string, value: number}} answer the number that is read out
 * @param {{name: string, values: number[]}} drawn
 */
export function showOutside(element, { min, max }, answer, drawn) {
  const isBeyond = (value) => value < min || value > max;
  element.hidden = ![answer.value, ...drawn.values].some(isBeyond);
  element.textContent = isBeyond(answer.value)
    ? `${answer.name} lies ${answer.value < min ? "below" : "above"} the frame, at ${shown(answer.value)}.`
    : `Parts of ${drawn.name} lie outside the frame.`;
}
