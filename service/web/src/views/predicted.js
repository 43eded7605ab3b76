/** The predicted rows: in a table, as a file, and next to the known rows that are most like one of them. */

import { intervalOf } from "../ask/interval.js";
import { announce } from "../parts/announce.js";
import { download } from "../parts/download.js";
import { shown } from "../parts/numbers.js";
import { RowsTable } from "../parts/rows_table.js";
import { predictedRows } from "../table/predicted_rows.js";
import { predictionsCsv } from "../table/predictions_csv.js";

export class Predicted {
  /** @param {(name: string) => HTMLElement} part */
  constructor(part) {
    this.part = part;
    this.table = new RowsTable(part("predictions"), (i) => this.#choose(i));
    part("download").addEventListener("click", () => {
      download(`${this.name.replace(/\.\w+$/, "")}-predicted.csv`, predictionsCsv(this.predicted));
    });
  }

  /** @param {{file: File, target: string, wanted: number, answer: object | null}} what without an answer there is nothing to predict */
  show({ file, target, answer }) {
    this.part("predicted").hidden = !answer;
    this.part("complete").hidden = Boolean(answer);
    this.part("complete").textContent =
      `Every row has a ${target}. Leave ${target} empty in the rows that you want predicted, and choose the file again.`;
    if (!answer) return;
    [this.name, this.predicted] = [file.name, predictedRows(target, answer, intervalOf(answer))];
    const { rows } = this.predicted;
    const listed = this.table.show(this.predicted);
    this.part("predictions-title").textContent = `Predicted ${target} of ${rows.length} row${rows.length > 1 ? "s" : ""}`;
    this.part("listed").hidden = listed === rows.length;
    this.part("listed").textContent = `The first ${listed} of ${rows.length}; the file has all.`;
    this.#lookInto(0);
  }

  #choose(i) {
    if (i === this.table.chosen) return;
    const { number, value, near } = this.#lookInto(i);
    const known = near.map((one) => `row ${one.number} with ${one.value}`).join(", ");
    announce(`Row ${number}: ${worded(value)}.${known && ` Most like it: ${known}.`}`);
  }

  /** Show the known rows that are most like one. */
  #lookInto(i) {
    const { target, columns, rows } = this.predicted;
    const row = rows[i];
    this.table.mark(i);
    this.part("near").hidden = row.near.length === 0;
    this.part("near-title").textContent = `Known rows most like row ${row.number}`;
    const [head, body] = [this.part("near-table").tHead.rows[0], this.part("near-table").tBodies[0]];
    head.replaceChildren(
      ...["Row", target, "Kind"].map((textContent) => cell("th", { scope: "col", textContent })),
      ...columns.map((textContent) => cell("th", { scope: "col", className: "own", textContent })),
    );
    body.replaceChildren(lineOf({ ...row, value: worded(row.value) }, "predicted"), ...row.near.map((one) => lineOf(one, "known")));
    return row;
  }
}

const worded = (value) => (typeof value === "number" ? shown(value) : value);

function lineOf({ number, value, cells }, kind) {
  const line = cell("tr", { className: kind === "predicted" ? "chosen" : "" });
  line.append(cell("th", { scope: "row", textContent: number }), cell("td", { className: "predicted", textContent: value }));
  line.append(cell("td", { className: "own", textContent: kind }));
  line.append(...cells.map((textContent) => cell("td", { className: "own", textContent: textContent ?? "" })));
  return line;
}

const cell = (tag, properties) => Object.assign(document.createElement(tag), properties);
