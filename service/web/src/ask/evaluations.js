/** The service's routes of evaluations. */

import { post, send } from "./api.js";
import { eventsOf } from "./events.js";

const ROOT = "v1/evaluations";
const PAGE = 1000;

/** @param {object} request the body of POST /v1/evaluations */
export const start = async (request) => (await post(ROOT, request)).answer;

export const cancel = async (id) => (await send(`${ROOT}/${id}/cancel`, { method: "POST" })).answer;

/** @returns {Promise<object>} with its results so far */
export const evaluation = async (id, signal) => (await send(`${ROOT}/${id}`, { signal })).answer;

/** Results and progress as they come, until it ends. */
export const eventsOfEvaluation = (id, signal) => eventsOf(`${ROOT}/${id}/events`, signal);

/** @returns {Promise<object[]>} all of the caller's, newest first */
export async function evaluations(signal) {
  const found = [];
  for (let after = ""; after !== null; ) {
    const { answer } = await send(`${ROOT}?limit=${PAGE}${after && `&after=${after}`}`, { signal });
    found.push(...answer.evaluations);
    after = answer.after;
  }
  return found.reverse();
}
