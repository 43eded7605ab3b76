/** The table: a CSV file, some of its rows as context, the rest held out and predicted. */

import { callsOf } from "../ask/calls.js";
import { announce } from "../parts/announce.js";
import { offer, percent, Slider, tickBox } from "../parts/choices.js";
import { takeFiles } from "../parts/file_drop.js";
import { aboutOf, fitting, gives, nameOf, takes } from "../parts/models.js";
import { fill, shown } from "../parts/numbers.js";
import { Agreement } from "../plot/agreement.js";
import { columnsOf } from "../table/columns.js";
import { parseCsv } from "../table/csv.js";
import { handOver } from "../table/handed_over.js";
import { problemOf, scoresOf } from "../table/problem.js";
import { standardDeviation } from "../table/scores.js";
import { houses } from "../tasks/houses.js";
import { Explained } from "./explained.js";
import { View } from "./view.js";

const NO_FEATURE = new Error("No feature is chosen. Tick at least one column to predict from.");
const START = { name: null, columns: null, model: "linear", target: null, features: [], share: 0.3, seed: 1 };

export class TableView extends View {
  constructor(host, served) {
    super(host, { ...START });
    this.models = fitting(served.models, "regression", (model) => gives(model, 1));
    this.plot = new Agreement(host.querySelector(".plot"), (i) => this.#lookInto(i));
    this.explained = new Explained(
      (name) => this.part(name),
      (error) => this.status.failed(error),
    );
    this.result = null;
    this.#listen();
    this.refresh();
  }

  #listen() {
    const { controls } = this;
    this.when("model", (model) => ({ model }));
    controls.target.addEventListener("change", () => this.#aim(this.state.columns, controls.target.value));
    new Slider(
      controls.share,
      (share) => `${percent(share)} of the rows`,
      (share) => this.change({ share }),
    );
    controls.shuffle.addEventListener("click", () => this.change({ seed: this.state.seed + 1 }));
    const row = this.part("row");
    row.addEventListener("change", () => this.#lookInto(Number(row.value)));
    this.part("example").addEventListener("click", () => this.read("houses.csv", houses()));
    this.part("evaluate").addEventListener("click", () => this.#handOver());
    takeFiles(this.part("drop"), (name, text) => this.read(name, text));
  }

  /** Take a file's text in, or say what is wrong with it and keep what was there. */
  read(name, text) {
    const problem = this.part("file-problem");
    problem.hidden = true;
    try {
      const { numeric, leftOut } = columnsOf(parseCsv(text));
      const names = numeric.map((column) => column.name);
      this.state.name = name;
      this.part("file").textContent = summaryOf(name, numeric, leftOut);
      this.part("columns").disabled = this.part("rows").disabled = false;
      offer(
        this.controls.target,
        names.map((one) => [one, one]),
        names.at(-1),
      );
      this.#aim(numeric, names.at(-1));
    } catch (error) {
      problem.textContent = `${name}: ${error.message}`;
      problem.hidden = false;
    }
  }

  /** Choose a target; everything else that is a number is a feature, until it is taken out. */
  #aim(columns, target) {
    const features = columns.map(({ name }) => name).filter((name) => name !== target);
    this.part("features").replaceChildren(...features.map((name) => this.#featureBox(name)));
    this.change({ columns, target, features });
  }

  #featureBox(name) {
    return tickBox(name, true, () => {
      const ticked = this.part("features").querySelectorAll(":checked");
      this.change({ features: Array.from(ticked, ({ value }) => value) });
    });
  }

  refresh() {
    const { columns, target, features, share, seed } = this.state;
    const model = this.#offerModels(features.length);
    if (columns === null) return;
    if (features.length === 0) return this.status.failed(NO_FEATURE);
    if (!model) return this.status.failed(new Error(`No model takes ${features.length} features. Choose others.`));
    const problem = problemOf(columns, target, features, share, seed);
    const { x, y } = problem.seen;
    this.ask({ problem, target, features, request: { model: model.name, context: { x, y }, query: problem.held.x } });
  }

  /** Give the whole table to the view of evaluations, which the link then opens. */
  #handOver() {
    const { name, target, features, columns } = this.state;
    const values = (column) => columns.find((one) => one.name === column).values;
    const inputs = features.map(values);
    const y = values(target);
    handOver({ name, target, features, x: y.map((_, row) => inputs.map((column) => column[row])), y });
  }

  /** Offer the models that take as many features; one that does not is left until they are as many again. */
  #offerModels(width) {
    const fits = this.models.filter((model) => takes(model, width));
    const chosen = fits.find(({ name }) => name === this.state.model) ?? fits[0];
    offer(
      this.controls.model,
      fits.map((model) => [model.name, nameOf(model)]),
      chosen?.name,
    );
    this.part("about").textContent = chosen ? aboutOf(chosen) : "";
    return chosen;
  }

  show(result) {
    this.result = result;
    const { problem, request, answer, latency } = result;
    const [seen, held] = [problem.seen.y.length, problem.held.y.length];
    const scores = scoresOf(problem, answer.prediction);
    this.part("results").hidden = false;
    this.part("scores-title").textContent = `R² on ${held} rows held out, from ${seen} seen`;
    this.part("model-name").textContent = request.model;
    fill(this.part("r2-model"), scores.model);
    fill(this.part("r2-ridge"), scores.ridge);
    fill(this.part("r2-least-squares"), scores.leastSquares);
    this.status.answered(latency);
    this.calls.show(
      callsOf(request),
      `Sends the ${seen} seen rows and prints the predictions for the ${held} held out. ` +
        'With "explain": true in the request (explain=True in Python), the answer has what the bars show too.',
    );
    announce(`R² ${shown(scores.model)} on ${held} rows held out.`);
    this.pairs = problem.held.numbers.map((row, i) => pairOf(row, problem.held.y[i], answer.prediction[i]));
    offer(
      this.part("row"),
      this.pairs.map(({ words }, i) => [String(i), words]),
      "0",
    );
    this.#lookInto(0);
  }

  /** Explain one prediction. */
  #lookInto(i) {
    const { problem, request, target, features } = this.result;
    const { seen, held } = problem;
    this.part("row").value = String(i);
    this.plot.show(this.pairs, i);
    this.explained.explain(
      { ...request, query: [held.x[i]] },
      {
        names: features,
        spreads: features.map((_, j) => standardDeviation(seen.x.map((row) => row[j]))),
        numbers: seen.numbers,
        target,
        row: held.numbers[i],
      },
    );
  }
}

const pairOf = (row, x, y) => ({ x, y, words: `row ${row}: true ${shown(x)}, predicted ${shown(y)}` });

function summaryOf(name, numeric, leftOut) {
  const left = leftOut.length ? ` Left out, not numbers: ${leftOut.join(", ")}.` : "";
  return `${name}: ${numeric[0].values.length} rows, ${numeric.length} columns of numbers.${left}`;
}
