/** The model compared with other methods, row by row. */

import { fill, percent, thousandths } from "./numbers.js";

const OF_NUMBERS = [
  ["mae", "Mean absolute error"],
  ["r2", "R²"],
  ["coverage", "In the 90 % interval"],
];
const OF_CLASSES = [
  ["accuracy", "Right"],
  ["log_loss", "Log loss"],
];
const SHARES = new Set(["coverage", "accuracy"]);

/**
 * @param {HTMLTableElement} table
 * @param {object[]} scores of `POST /v1/assess`, the model's first
 * @param {string} target in whose units errors are
 */
export function showMethods(table, scores, target) {
  const measures = "accuracy" in scores[0] ? OF_CLASSES : OF_NUMBERS;
  const heads = ["Method", ...measures.map(([name, words]) => (name === "mae" ? `${words} of ${target}` : words))];
  table.tHead.rows[0].replaceChildren(...heads.map((textContent) => cell("th", { scope: "col", textContent })));
  table.tBodies[0].replaceChildren(...scores.map((score, i) => rowOf(score, measures, i === 0)));
}

function rowOf(score, measures, isModel) {
  const row = cell("tr", { className: isModel ? "model chosen" : "" });
  row.append(cell("th", { scope: "row", textContent: score.method }));
  for (const [name] of measures) {
    const data = document.createElement("data");
    data.dataset.of = name;
    const value = score[name] ?? null;
    fill(data, value);
    if (SHARES.has(name) && value !== null) data.textContent = percent(value);
    if (name === "r2" && value !== null) data.textContent = thousandths(value);
    const place = document.createElement("td");
    place.append(data);
    row.append(place);
  }
  return row;
}

const cell = (tag, properties) => Object.assign(document.createElement(tag), properties);
