/** The evaluation that the page would start, as Python with the service's client, as curl, and on the command line. */

import { curl, opening, SERVICE } from "./calls.js";
import { inPython } from "./written.js";

/** @param {object} request a body of POST /v1/evaluations */
export const callsOf = (request) => ({
  python: python(request),
  curl: curl("v1/evaluations", request),
  command: command(request),
});

function python({ models, ...options }) {
  const given = Object.entries(options).map(([name, value]) => `${name}=${inPython(value)}`);
  return `${opening()}
evaluation = client.evaluations.submit(
    ${inPython(models)},
    ${given.join(", ")},
)
for score in evaluation.results():
    print(score.distribution, score.learner, score.refused or score.r2.mean)`;
}

function command({ suite, models, seed, tasks, queries, observations, curve }) {
  return [
    `gdssm eval --url ${SERVICE} --suite ${suite}`,
    models.map((name) => `--model ${name}`).join(" "),
    `--seed ${seed} --tasks ${tasks} --queries ${queries} --observations ${observations} --curve ${curve.join(",")}`,
    "--out evaluation",
  ].join(" \\\n  ");
}
