/** Requests for evaluations: suites, the models that fit each, and sizes that keep a first run short. */

import { gives, takes } from "../parts/models.js";

const INPUTS = { practical: [10, 4], tables: [10, 3, 12, 9] };
const QUERIES = 4;
const OBSERVATIONS = 10;
const CURVE = [1, 2, 5, 10, 20, 50];

/** For each suite its words, and whether a model fits one of its distributions. */
export const SUITES = {
  paper: {
    words: "Eight distributions of the paper: linear tasks, stretched inputs and weights, sines.",
    fits: () => true,
  },
  practical: {
    words: "Properties of real data: noise, few relevant inputs, correlation, heavy tails, curvature, drift.",
    fits: (model) => takesAny(model, INPUTS.practical) && gives(model, 1),
  },
  tables: {
    words: "Random splits of four tables of measurements: diabetes, iris, wine, breast cancer.",
    fits: (model) => takesAny(model, INPUTS.tables) && gives(model, 1),
  },
  data: {
    words: "Random splits of your own table.",
    fits: (model, table) => gives(model, 1) && (table === null || takes(model, table.features.length)),
  },
};

const takesAny = (model, sizes) => sizes.some((size) => takes(model, size));

/** Whether a model fits every distribution, so that it is chosen from the start. */
export const fitsAll = ({ dims }) => dims.D === "any" && dims.K === "any";

/**
 * The body of POST /v1/evaluations.
 *
 * @param {{suite: string, models: string[], seed: number, tasks: number}} chosen
 * @param {{x: number[][], y: number[]} | null} table with the suite `data`; its tasks are no longer than it
 */
export function requestOf({ suite, models, seed, tasks }, table) {
  const request = { suite, models, seed, tasks, queries: QUERIES, observations: OBSERVATIONS, curve: CURVE };
  if (suite !== "data") return request;
  const most = table.y.length - 1;
  const queries = Math.min(QUERIES, Math.max(1, Math.floor(most / 2)));
  const observations = Math.min(OBSERVATIONS, table.y.length - queries);
  const curve = CURVE.filter((length) => length <= table.y.length - queries);
  return { ...request, queries, observations, curve, data: { x: table.x, y: table.y } };
}
