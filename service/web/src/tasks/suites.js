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
};

const takesAny = (model, sizes) => sizes.some((size) => takes(model, size));

/** Whether a model fits every distribution, so that it is chosen from the start. */
export const fitsAll = ({ dims }) => dims.D === "any" && dims.K === "any";

/**
 * The body of POST /v1/evaluations.
 *
 * @param {{suite: string, models: string[], seed: number, tasks: number}} chosen
 */
export const requestOf = (chosen) => ({ ...chosen, queries: QUERIES, observations: OBSERVATIONS, curve: CURVE });
