/** Predictions row by row, each with its interval in numbers and as a bar. */

import { intervalMark, placeBetween } from "../plot/interval_mark.js";
import { endsOf, isInside } from "../table/pairs.js";
import { fill } from "./numbers.js";

const MOST_ROWS = 100;

export class PredictionsTable {
  /** @param {HTMLTableElement} table; @param {(i: number) => void} choose is called for a row that is clicked */
  constructor(table, choose) {
    this.table = table;
    this.body = table.tBodies[0];
    this.body.addEventListener("click", ({ target }) => choose(target.closest("tr").sectionRowIndex));
  }

  /** @param {object[]} pairs as of `pairsOf`; the first of them are listed. @returns {number} how many are */
  show(pairs) {
    const listed = pairs.slice(0, MOST_ROWS);
    const place = placeBetween(...endsOf(listed));
    const bounded = listed.some(({ lower }) => lower !== null);
    for (const head of this.table.querySelectorAll("thead .bound")) head.hidden = !bounded;
    this.body.replaceChildren(...listed.map((pair) => rowOf(pair, bounded, place)));
    return listed.length;
  }

  /** Mark the explained row. */
  mark(i) {
    for (const row of this.body.rows) row.classList.toggle("chosen", row.sectionRowIndex === i);
  }
}

function rowOf(pair, bounded, place) {
  const row = document.createElement("tr");
  const head = Object.assign(document.createElement("th"), { scope: "row", textContent: String(pair.row) });
  row.append(head, number(pair.x, "true"), number(pair.y, "predicted"));
  if (!bounded) return row;
  const drawn = cell();
  drawn.append(intervalMark(pair, place));
  row.append(drawn, number(pair.lower, "lower"), number(pair.upper, "upper"));
  if (isInside(pair)) return row;
  row.className = "outside";
  drawn.append(Object.assign(document.createElement("span"), { className: "unseen", textContent: "outside" }));
  return row;
}

const cell = () => document.createElement("td");

function number(value, name) {
  const element = cell();
  const data = document.createElement("data");
  data.dataset.of = name;
  fill(data, value);
  element.append(data);
  return element;
}
