/** Predicted rows: the prediction with its interval in numbers and as a bar, and the file's own columns. */

import { intervalMark, placeBetween } from "../plot/interval_mark.js";
import { endsOf } from "../table/predicted_rows.js";
import { fill, percent } from "./numbers.js";

const MOST_ROWS = 100;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class RowsTable {
  /** @param {HTMLTableElement} table; @param {(i: number) => void} choose is called for a row that is clicked or focused */
  constructor(table, choose) {
    [this.table, this.body, this.chosen] = [table, table.tBodies[0], -1];
    this.body.addEventListener("click", ({ target }) => choose(target.closest("tr").sectionRowIndex));
    this.body.addEventListener("focusin", ({ target }) => choose(target.closest("tr").sectionRowIndex));
    this.body.addEventListener("keydown", (event) => this.#step(event));
  }

  /**
   * @param {{target: string, columns: string[], rows: object[]}} predicted as of `predictedRows`; the first are listed
   * @returns {number} how many are listed
   */
  show({ target, columns, rows }) {
    const listed = rows.slice(0, MOST_ROWS);
    const bounded = listed.some(({ lower }) => lower !== null);
    const share = listed.some(({ probability }) => probability !== null);
    const bounds = bounded ? ["90 % interval", "Lower", "Upper"] : [];
    this.table.tHead.rows[0].replaceChildren(
      headOf("Row", ""),
      headOf(target, "predicted"),
      ...[...(share ? ["Probability"] : []), ...bounds].map((words) => headOf(words, "")),
      ...columns.map((name) => headOf(name, "own")),
    );
    const place = bounded ? placeBetween(...endsOf(listed)) : null;
    this.body.replaceChildren(...listed.map((row) => rowOf(row, columns, share, place)));
    this.chosen = -1;
    return listed.length;
  }

  /** Mark the row that is looked into; it is the one that Tab reaches. */
  mark(i) {
    this.chosen = i;
    for (const row of this.body.rows) {
      const is = row.sectionRowIndex === i;
      row.classList.toggle("chosen", is);
      const button = row.querySelector("button");
      button.tabIndex = is ? 0 : -1;
      button.setAttribute("aria-pressed", String(is));
    }
  }

  #step(event) {
    const step = STEPS[event.key];
    const row = step && this.body.rows[this.chosen + step];
    if (!row) return;
    event.preventDefault();
    row.querySelector("button").focus();
  }
}

function rowOf({ number, value, probability, lower, upper, cells }, columns, share, place) {
  const row = document.createElement("tr");
  const head = Object.assign(document.createElement("th"), { scope: "row" });
  head.append(Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: number }));
  row.append(head, typeof value === "string" ? textCell(value, "predicted") : numberCell(value, "predicted"));
  if (share) {
    const cell = numberCell(probability, "probability");
    cell.firstChild.textContent = percent(probability);
    row.append(cell);
  }
  if (place) {
    const drawn = document.createElement("td");
    drawn.className = "drawn";
    if (lower !== null) drawn.append(intervalMark({ y: value, lower, upper }, place));
    row.append(drawn, numberCell(lower, "lower"), numberCell(upper, "upper"));
  }
  row.append(...columns.map((_, j) => textCell(cells[j] ?? "", "own")));
  return row;
}

const headOf = (textContent, className) =>
  Object.assign(document.createElement("th"), { scope: "col", textContent, className });

const textCell = (textContent, className) => Object.assign(document.createElement("td"), { textContent, className });

function numberCell(value, name) {
  const cell = Object.assign(document.createElement("td"), { className: name });
  const data = document.createElement("data");
  data.dataset.of = name;
  fill(data, value);
  cell.append(data);
  return cell;
}
