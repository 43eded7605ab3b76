/** Evaluations: the models compared with reference learners on tasks of a seed, with their progress and learning curves. */

import { callsOf } from "../ask/evaluation_calls.js";
import { cancel, evaluation, evaluations, eventsOfEvaluation, start } from "../ask/evaluations.js";
import { announce } from "../parts/announce.js";
import { tickBox } from "../parts/choices.js";
import { EvaluationList } from "../parts/evaluation_list.js";
import { fitting } from "../parts/models.js";
import { Progress } from "../parts/progress.js";
import { fitsAll, requestOf, SUITES } from "../tasks/suites.js";
import { Findings } from "./findings.js";
import { View } from "./view.js";

const NO_MODEL = new Error("No model is chosen. Tick at least one.");

export class EvaluationsView extends View {
  constructor(host, served) {
    super(host, { shown: null, compared: null });
    this.models = fitting(served, "regression");
    this.ticked = new Set(this.models.filter(fitsAll).map(({ name }) => name));
    const part = (name) => this.part(name);
    this.progress = new Progress(part, () => this.#tried(() => cancel(this.state.shown)));
    this.list = new EvaluationList(part, (chosen) => this.change(chosen));
    this.findings = new Findings(part);
    this.#listen();
    this.#setUp();
    this.refresh();
  }

  #listen() {
    const form = this.host.querySelector("form.controls");
    form.addEventListener("input", () => this.#setUp());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#tried(() => this.#start());
    });
  }

  get suite() {
    return this.controls.suite.value;
  }

  /** Offer what fits the suite, and show the calls that would start it. */
  #setUp() {
    this.part("suite-about").textContent = SUITES[this.suite].words;
    this.#offerModels(this.#fitting().map(({ name }) => name));
    try {
      this.calls.show(
        callsOf(this.#request()),
        "Starts the evaluation that is set up here, and prints its results.",
      );
    } catch {
      this.calls.clear(); // the Start button names missing input
    }
  }

  #fitting() {
    return this.models.filter((model) => SUITES[this.suite].fits(model));
  }

  /** Boxes that are there already stay, so that they keep their focus. */
  #offerModels(names) {
    if (names.join() === this.offered?.join()) return;
    this.offered = names;
    const { ticked } = this;
    const box = (name) => tickBox(name, ticked.has(name), (is) => (is ? ticked.add(name) : ticked.delete(name)));
    this.part("models").replaceChildren(...names.map(box));
  }

  /** @throws {Error} something is missing */
  #request() {
    const { controls, suite } = this;
    const models = this.#fitting().flatMap(({ name }) => (this.ticked.has(name) ? [name] : []));
    if (!models.length) throw NO_MODEL;
    const sizes = { seed: Number(controls.seed.value), tasks: Number(controls.tasks.value) };
    return requestOf({ suite, models, ...sizes });
  }

  async #start() {
    const { id } = await start(this.#request());
    announce("The evaluation is started.");
    this.change({ shown: id });
  }

  async #tried(action) {
    try {
      await action();
    } catch (error) {
      this.status.failed(error);
    }
  }

  refresh() {
    const { shown, compared } = this.state;
    this.ask({ shown, compared });
  }

  /** Follow an evaluation to its end, the newest if none was chosen; one that has ended is shown at once. */
  async answer({ shown, compared }, signal) {
    const list = await evaluations(signal);
    const id = shown ?? list[0]?.id ?? null;
    this.state.shown ??= id;
    this.list.show(list, id, compared);
    this.part("empty").hidden = id !== null;
    if (id === null) return null;
    const other = compared && (await evaluation(compared, signal));
    const result = { record: list.find((one) => one.id === id), scores: [], other };
    for await (const { event, data } of eventsOfEvaluation(id, signal)) {
      if (event === "result") {
        result.scores.push(data);
        continue;
      }
      result.record = data;
      this.#draw(result);
    }
    return result;
  }

  #draw({ record, scores, other }) {
    this.status.answered(null);
    this.progress.show(record);
    this.findings.show(record, scores, other);
  }

  show(result) {
    if (result === null) return this.status.answered(null);
    const { record } = result;
    this.list.update(record);
    if (record.reason) this.status.failed(new Error(record.reason));
    announce(`The evaluation is ${record.status}: ${record.done} of ${record.total} results.`);
  }
}
