/** The table: a CSV file, some of its rows as context, the rest held out and predicted. */

import { callsOf } from "../ask/calls.js";
import { withInterval } from "../ask/interval.js";
import { announce } from "../parts/announce.js";
import { offer, percent, Slider, tickBox } from "../parts/choices.js";
import { takeFiles } from "../parts/file_drop.js";
import { aboutOf, fitting, gives, nameOf, takes } from "../parts/models.js";
import { listed, showNotes } from "../parts/notes.js";
import { fill, shown } from "../parts/numbers.js";
import { columnsOf } from "../table/columns.js";
import { parseCsv } from "../table/csv.js";
import { handOver } from "../table/handed_over.js";
import { problemOf, scoresOf } from "../table/problem.js";
import { standardDeviation } from "../table/scores.js";
import { houses } from "../tasks/houses.js";
import { Explained } from "./explained.js";
import { Predicted } from "./predicted.js";
import { View } from "./view.js";

const NO_FEATURE = new Error("No feature is chosen. Tick at least one column to predict from.");
const START = { name: null, columns: null, model: null, target: null, features: [], share: 0.3, seed: 1 };

export class TableView extends View {
  constructor(host, served) {
    super(host, { ...START });
    this.models = fitting(served.models, "regression", (model) => gives(model, 1));
    this.predicted = new Predicted(
      (name) => this.part(name),
      (i) => this.#lookInto(i),
    );
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
    this.part("example").addEventListener("click", () => this.read("houses.csv", houses()));
    this.part("evaluate").addEventListener("click", () => this.#handOver());
    takeFiles(this.part("drop"), (name, text) => this.read(name, text));
  }

  /** Read a file's text, or show its error and keep the previous table. */
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
    const { name, columns, target, features, share, seed } = this.state;
    const model = this.#offerModels(features.length);
    if (columns === null) return;
    if (features.length === 0) return this.status.failed(NO_FEATURE);
    if (!model) return this.status.failed(new Error(`No model takes ${features.length} features. Choose others.`));
    const problem = problemOf(columns, target, features, share, seed);
    const { x, y } = problem.seen;
    const request = withInterval({ model: model.name, context: { x, y }, query: problem.held.x }, model);
    this.ask({ problem, name, target, features, request });
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
    const { problem, name, target, features, request, answer, latency } = result;
    const [seen, held] = [problem.seen.y.length, problem.held.y.length];
    const scores = scoresOf(problem, answer.prediction);
    this.part("results").hidden = false;
    this.part("scores-title").textContent = `R² on ${held} rows held out, from ${seen} seen`;
    this.part("model-name").textContent = request.model;
    fill(this.part("r2-model"), scores.model);
    fill(this.part("r2-ridge"), scores.ridge);
    fill(this.part("r2-least-squares"), scores.leastSquares);
    showNotes(this.part("notes"), answer.notes, aboutNotes(features, problem.held.numbers));
    this.status.answered(latency);
    this.calls.show(
      callsOf(request),
      `Sends the ${seen} seen rows and prints the predictions for the ${held} held out` +
        `${request.interval ? ", then the lower and the upper bounds" : ""}.`,
    );
    announce(`R² ${shown(scores.model)} on ${held} rows held out.`);
    this.predicted.show({ name, target, held: problem.held, answer });
    this.#lookInto(0);
  }

  /** Explain one prediction. */
  #lookInto(i) {
    const { problem, request, target, features } = this.result;
    const { seen, held } = problem;
    this.predicted.mark(i);
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

const aboutNotes = (features, numbers) => ({
  column: (j) => `“${features[j]}”`,
  queries: (rows) =>
    `Row${rows.length > 1 ? "s" : ""} ${listed(rows.map((i) => numbers[i]))} ${rows.length > 1 ? "are" : "is"}`,
});

function summaryOf(name, numeric, leftOut) {
  const left = leftOut.length ? ` Left out, not numbers: ${leftOut.join(", ")}.` : "";
  return `${name}: ${numeric[0].values.length} rows, ${numeric.length} columns of numbers.${left}`;
}
