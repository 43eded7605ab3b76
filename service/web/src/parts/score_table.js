/** The learners on one distribution, row by row: each measure with its interval, the best of them marked. */

import { labelOf } from "../plot/learners.js";
import { fill, shown } from "./numbers.js";

const COVERAGE = 0.9; // nominal

/** Likeness to descent is marked among the models only: the reference descent is always like itself. */
const MEASURES = [
  { name: "loss", best: (a, b) => a < b },
  { name: "r2", best: (a, b) => a > b },
  { name: "coverage_90", best: (a, b) => Math.abs(a - COVERAGE) < Math.abs(b - COVERAGE) },
  { name: "interval_score_90", best: (a, b) => a < b },
  { name: "relative_prediction_difference", best: (a, b) => a < b, modelsOnly: true },
  { name: "sensitivity_cosine", best: (a, b) => a > b, modelsOnly: true },
];

/** @param {HTMLTableSectionElement} body; @param {object[]} scores; @param {Map<string, object>} looks of learners */
export function showScores(body, scores, looks) {
  const best = new Map(MEASURES.map((measure) => [measure.name, bestOf(scores, measure, looks)]));
  body.replaceChildren(...scores.map((score) => rowOf(score, looks.get(score.learner), best)));
}

function bestOf(scores, { name, best, modelsOnly }, looks) {
  const values = scores
    .filter(({ learner }) => !modelsOnly || looks.get(learner).isModel)
    .map((score) => score[name]?.mean ?? null)
    .filter((value) => value !== null);
  return values.length ? values.reduce((a, b) => (best(b, a) ? b : a)) : null;
}

function rowOf(score, look, best) {
  const row = Object.assign(document.createElement("tr"), { className: look.isModel ? "model" : "" });
  const head = Object.assign(document.createElement("th"), { scope: "row" });
  head.append(labelOf(score.learner, look));
  row.append(head);
  if (score.refused !== null) {
    row.append(cell({ colSpan: MEASURES.length, className: "refused", textContent: `Not here: ${score.refused}` }));
    return row;
  }
  for (const { name, modelsOnly } of MEASURES) {
    const eligible = look.isModel || !modelsOnly;
    const measure = score[name] ?? NONE;
    row.append(measured(name, measure, eligible && measure.mean === best.get(name)));
  }
  return row;
}

const NONE = { mean: null }; // of a learner that gives no intervals

const cell = (properties) => Object.assign(document.createElement("td"), properties);

function measured(name, { mean, low, high }, isBest) {
  const element = cell({ className: isBest && mean !== null ? "best" : "" });
  const number = document.createElement("data");
  fill(number, mean);
  number.dataset.measure = name;
  element.append(number);
  if (mean === null) return element;
  if (isBest) element.append(text("span", " best", "unseen")); // for those who do not see the mark
  element.append(text("small", `${brief(low)} … ${brief(high)}`));
  return element;
}

const text = (tag, textContent, className = "") =>
  Object.assign(document.createElement(tag), { textContent, className });

const brief = (value) => shown(value === null ? null : Number(value.toPrecision(3)));
