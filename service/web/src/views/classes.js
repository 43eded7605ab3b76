/** Classes: points in the plane, and the class that a model expects everywhere else. */

import { callsOf } from "../ask/calls.js";
import { announce } from "../parts/announce.js";
import { offerEach, offerModels } from "../parts/choices.js";
import { aboutOf, fitting, takes } from "../parts/models.js";
import { shown, tenths } from "../parts/numbers.js";
import { TaskControls } from "../parts/task_controls.js";
import { ClassPlot } from "../plot/class_plot.js";
import { drawClasses, RANGE, SHAPES } from "../tasks/classes.js";
import { CLASS_FEATURES } from "../tasks/features.js";
import { PlacedPoints } from "../tasks/placed.js";
import { rounded } from "../tasks/random.js";
import { View } from "./view.js";

const LETTERS = "ABCD";
const [COLUMNS, ROWS] = [41, 31];
const spaced = (count, range) =>
  Array.from({ length: count }, (_, i) => rounded(range * ((2 * i) / (count - 1) - 1), 2));
const GRID = spaced(ROWS, -RANGE.y).flatMap((y) => spaced(COLUMNS, RANGE.x).map((x) => [x, y])); // from the top left

export class ClassesView extends View {
  constructor(host, served) {
    const models = fitting(served, "classification", (model) => takes(model, 2) && model.dims.K === "any");
    super(host, { model: models[0], features: "plain", K: 2, probe: [0, 0] });
    this.models = models;
    this.points = new PlacedPoints(() => this.refresh(), Number(this.controls.noise.value));
    this.plot = new ClassPlot(host.querySelector("figure"), RANGE, {
      place: (x, y) => this.#place(x, y),
      move: (i, x, y) => this.points.move(i, x, y),
      remove: (i) => this.points.remove(i),
      where: () => this.state.probe,
      ask: (x, y) => this.change({ probe: [rounded(x, 2), rounded(y, 2)] }),
    });
    this.#listen();
    this.#draw();
  }

  #listen() {
    const { controls, state } = this;
    offerModels(controls.model, this.models, state.model);
    offerEach(controls.features, CLASS_FEATURES, state.features);
    offerEach(controls.task, SHAPES, "moons");
    this.when("model", (chosen) => ({ model: this.models.find(({ name }) => name === chosen) }));
    this.when("features", (features) => ({ features }));
    for (const choice of controls.K) {
      choice.addEventListener("change", () => {
        state.K = Number(choice.value);
        this.#draw();
      });
    }
    this.task = new TaskControls(controls, this.points, {
      draw: () => this.#draw(),
      add: () => {
        this.#place(0, 0);
        this.plot.points.focus(this.points.length - 1);
      },
    });
  }

  #draw() {
    this.points.draw(drawClasses(this.task.task, this.task.seed, this.state.K), this.task.count.value);
  }

  #place(x, y) {
    this.points.place(x, y, { label: Number(this.controls.label.value) });
  }

  refresh() {
    const { state, controls, points } = this;
    this.part("empty").hidden = points.length > 0;
    this.part("about").textContent = aboutOf(state.model);
    for (const choice of controls.label) choice.closest("label").hidden = Number(choice.value) >= state.K;
    if (Number(controls.label.value) >= state.K) controls.label.value = "0";
    this.task.show(points);
    this.plot.points.show(
      points.map((point, i) => ({ ...point, class: `class-${point.label}`, words: wordsOf(point, i, points.length) })),
    );
    this.plot.probe.place();
    this.ask(points.length ? { request: requestOf(state, points) } : null);
  }

  show(result) {
    const { probe } = this.state;
    const probabilities = result?.answer.prediction ?? [];
    const here = probabilities.at(-1) ?? [];
    const words = here.map((p, k) => `class ${LETTERS[k]} ${percent(p)}`).join(", ") || "no prediction";
    const place = `x₁ = ${shown(probe[0])}, x₂ = ${shown(probe[1])}`;
    this.plot.show(result && { probabilities: probabilities.slice(0, -1), columns: COLUMNS });
    this.plot.probe.show(`${place}: ${words}`);
    this.part("query").textContent = `${place}:`;
    this.part("shares").replaceChildren(...here.map(share));
    this.status.answered(result?.latency ?? null);
    announce(`${this.points.length} points. At ${place}: ${words}.`);
    if (result) this.#showCalls(result.request);
    else this.calls.clear();
  }

  /** The rows that features are made of; none where the model is shown x itself. */
  #made() {
    const { features, probe } = this.state;
    const { code } = CLASS_FEATURES[features];
    return code && { code, x: this.points.map(({ x, y }) => [x, y]), query: [probe] };
  }

  #showCalls(request) {
    this.calls.show(
      callsOf({ ...request, query: request.query.slice(-1) }, this.#made()),
      `Asks for the one query above and prints its probabilities; the ground is the same with ${GRID.length} queries.`,
    );
  }
}

const percent = (p) => `${tenths(100 * p)} %`;

const wordsOf = ({ x, y, label }, i, n) =>
  `Point ${i + 1} of ${n}, class ${LETTERS[label]}: x₁ ${shown(x)}, x₂ ${shown(y)}. Arrow keys move, Delete removes.`;

function share(p, k) {
  const element = Object.assign(document.createElement("span"), { className: `class-${k}` });
  const number = Object.assign(document.createElement("data"), { value: String(p), textContent: percent(p) });
  element.append(`${LETTERS[k]} `, number);
  return element;
}

/** The queries of the ground, and last the one that is read out. */
function requestOf({ model, features, K, probe }, points) {
  const { row } = CLASS_FEATURES[features];
  return {
    model: model.name,
    context: {
      x: points.map(({ x, y }) => row(x, y)),
      y: points.map(({ label }) => Array.from({ length: K }, (_, k) => Number(k === label))),
    },
    query: [...GRID, probe].map(([x, y]) => row(x, y)),
  };
}
