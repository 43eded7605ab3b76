/** The table: a file whose rows without a target are predicted, and how good the predictions are. */

import { withInterval } from "../ask/interval.js";
import { newestWins } from "../ask/newest.js";
import { callsOf } from "../ask/table_calls.js";
import { inspect, predictRows } from "../ask/tables.js";
import { announce } from "../parts/announce.js";
import { offer, offerModels } from "../parts/choices.js";
import { ColumnList } from "../parts/column_list.js";
import { download } from "../parts/download.js";
import { takeFiles } from "../parts/file_drop.js";
import { findingsIn } from "../parts/findings_words.js";
import { aboutOf, fitting } from "../parts/models.js";
import { showNotes } from "../parts/notes.js";
import { houses } from "../tasks/houses.js";
import { Assessed } from "./assessed.js";
import { Predicted } from "./predicted.js";
import { View } from "./view.js";

const EXAMPLE = "example-houses.csv";
const NEAREST = 3;
const MOST_COMPARED = 2e7; // predicted times known rows; with more, the nearest are not looked for
const START = { file: null, target: null, kinds: {}, model: null };
const TASKS = { number: "regression", category: "classification" };

export class TableView extends View {
  constructor(host, served) {
    super(host, { ...START });
    this.served = served;
    this.looked = { file: null, answer: null };
    const part = (name) => this.part(name);
    this.columns = new ColumnList(part("columns"), (name, kind) => {
      this.change({ kinds: { ...this.state.kinds, [name]: kind } });
    });
    this.predicted = new Predicted(part);
    this.assessed = new Assessed(part);
    this.assessing = null; // the question whose assessment is waited for
    this.askAssessment = newestWins(
      async (question, signal) => ({ question, ...(await this.assessed.answer(question, signal)) }),
      (result) => result.question === this.assessing && this.assessed.show(result),
      (error) => this.assessing && this.assessed.failed(error),
    );
    this.#listen();
  }

  #listen() {
    this.when("model", (model) => ({ model }));
    this.when("target", (target) => ({ target, kinds: without(this.state.kinds, target) }));
    this.part("example").addEventListener("click", () => this.read(new File([houses()], EXAMPLE)));
    this.part("save-example").addEventListener("click", () => download(EXAMPLE, houses()));
    takeFiles(this.part("drop"), (file) => this.read(file));
  }

  /** Take another file; nothing of the one before stays. */
  read(file) {
    this.#clear();
    this.part("file").textContent = `Reading ${file.name} …`;
    this.part("setup").hidden = true;
    this.change({ ...START, file });
  }

  refresh() {
    const { file } = this.state;
    if (file) this.ask({ ...this.state });
  }

  async answer({ file, target: chosen, kinds, model: named }, signal) {
    if (this.looked.file !== file) {
      const { answer } = await inspect(file, {}, signal);
      this.looked = { file, answer };
    }
    const first = this.looked.answer;
    const target = chosen ?? likeliestTarget(first.columns);
    this.#offerTargets(first.columns, target);
    const looked = (await inspect(file, { target, kinds }, signal)).answer;
    const model = this.#offerModels(looked.schema, named);
    const options = withInterval({ target, kinds, model: model.name }, model);
    const wanted = first.columns.find(({ name }) => name === target).missing;
    const nearest = wanted * (first.rows - wanted) <= MOST_COMPARED ? NEAREST : undefined;
    const asked = { ...options, nearest, append: true };
    const found = wanted ? await predictRows(file, asked, signal) : { answer: null, latency: null };
    return { file, first, looked, model, options, wanted, ...found };
  }

  show({ file, first, looked, model, options, wanted, answer, latency }) {
    if (file !== this.state.file) return; // the answer came late
    const { target } = options;
    this.part("file").textContent = summaryOf(file, first, target, wanted);
    this.part("save-example").hidden = file.name !== EXAMPLE;
    this.part("reading").textContent = (first.read ?? []).join(" ");
    this.part("results").hidden = false;
    this.#showColumns(first.columns, looked);
    this.part("findings").textContent = findingsIn(answer?.findings ?? []).join(" ");
    showNotes(this.part("notes"), (answer?.notes ?? []).map(withQueries), ABOUT_NOTES);
    this.predicted.show({ file, target, wanted, answer });
    this.status.answered(latency);
    this.calls.show(callsOf(file.name, options), `Predicts the rows of ${file.name} that have no ${target}.`);
    this.assessed.wait();
    this.assessing = { file, options, model };
    this.askAssessment(this.assessing);
    announce(wanted ? `${wanted} rows without ${target} are predicted.` : `Every row has a ${target}.`);
  }

  failed(error) {
    this.#clear();
    this.status.failed(error);
  }

  #clear() {
    this.assessing = null;
    this.part("results").hidden = true;
    this.part("file").textContent = this.part("reading").textContent = "";
    this.part("save-example").hidden = true;
    this.status.answered(null);
    this.calls.clear();
  }

  /** Cells are counted in all rows; their use is decided by the rows that have a target. */
  #showColumns(columns, { columns: decided, schema }) {
    const of = new Map(decided.map((column) => [column.name, column]));
    this.columns.show(
      columns.map(({ name, missing, examples }) => {
        const { kind, description } = of.get(name);
        const isTarget = name === schema.target.name;
        return { name, isTarget, kind: isTarget ? schema.target.kind : kind, description, missing, examples };
      }),
    );
  }

  #offerTargets(columns, target) {
    this.part("setup").hidden = false;
    const names = columns.map(({ name }) => [name, name]);
    offer(this.controls.target, names, target);
  }

  /** Offer the models of the task that take missing cells; returns the one that is used. */
  #offerModels({ target }, named) {
    const models = fitting(this.served, TASKS[target.kind], (model) => model.missing_cells && model.dims.D === "any");
    const chosen = models.find(({ name }) => name === named) ?? models[0];
    offerModels(this.controls.model, models, chosen);
    this.part("about").textContent = aboutOf(chosen);
    return chosen;
  }
}

/** The last column that can be predicted. */
function likeliestTarget(columns) {
  const can = columns.filter(({ kind }) => ["number", "category", "yes_no"].includes(kind));
  return (can.at(-1) ?? columns.at(-1)).name;
}

const without = (kinds, column) => Object.fromEntries(Object.entries(kinds).filter(([name]) => name !== column));

const withQueries = ({ rows, ...note }) => (rows ? { ...note, queries: rows } : note);

const ABOUT_NOTES = {
  column: (name) => `“${name}”`,
  queries: (rows) => `Row${rows.length > 1 ? "s" : ""} ${rows.map((row) => row + 1).join(", ")} ${rows.length > 1 ? "are" : "is"}`,
};

function summaryOf(file, { rows, columns }, target, wanted) {
  const name = file.name === EXAMPLE ? "Example, made-up houses" : file.name;
  const known = wanted ? `${target} is known in ${rows - wanted} and predicted in ${wanted}` : `${target} is known in all`;
  return `${name}: ${rows} rows, ${columns.length} columns; ${known}.`;
}
