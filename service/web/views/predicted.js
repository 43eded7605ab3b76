/** The predictions of held-out rows: against their true values, in a table, and as a file. */

import { intervalOf } from "../ask/interval.js";
import { offer, percent } from "../parts/choices.js";
import { download } from "../parts/download.js";
import { PredictionsTable } from "../parts/predictions_table.js";
import { Agreement } from "../plot/agreement.js";
import { isInside, pairsOf } from "../table/pairs.js";
import { predictionsCsv } from "../table/predictions_csv.js";

export class Predicted {
  /** @param {(name: string) => HTMLElement} part; @param {(i: number) => void} choose a row to look into */
  constructor(part, choose) {
    this.part = part;
    this.plot = new Agreement(part("agreement"), choose);
    this.table = new PredictionsTable(part("predictions"), choose);
    part("row").addEventListener("change", () => choose(Number(part("row").value)));
    part("download").addEventListener("click", () => {
      download(`${this.name.replace(/\.\w+$/, "")}-predicted.csv`, predictionsCsv(this.target, this.pairs));
    });
  }

  /** @param {{name: string, target: string, held: object, answer: object}} what the rows, and the service's answer */
  show({ name, target, held, answer }) {
    const interval = intervalOf(answer);
    [this.name, this.target, this.pairs] = [name, target, pairsOf(held, answer.prediction, interval)];
    offer(
      this.part("row"),
      this.pairs.map(({ words }, i) => [String(i), words]),
      "0",
    );
    const listed = this.table.show(this.pairs);
    this.part("listed").hidden = listed === this.pairs.length;
    this.part("listed").textContent = `The first ${listed} of ${this.pairs.length}; the file has all.`;
    this.#showCoverage(interval !== null);
  }

  /** Mark the explained row. */
  mark(i) {
    this.part("row").value = String(i);
    this.plot.show(this.pairs, i);
    this.table.mark(i);
  }

  #showCoverage(bounded) {
    for (const name of ["bar-key", "coverage", "marks"]) this.part(name).hidden = !bounded;
    if (!bounded) return;
    const [all, inside] = [this.pairs.length, this.pairs.filter(isInside).length];
    this.part("coverage").textContent =
      `${inside} of the ${all} true values are in their 90 % interval, ${percent(inside / all)}. ` +
      "9 of 10 new rows are expected inside.";
  }
}
