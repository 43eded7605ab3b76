/** The curve: a one-dimensional task, and the prediction that a model makes of it. */

import { callsOf, callsOfSteps, curl, INSTALL } from "../ask/calls.js";
import { Descent, ONE_STEP } from "../ask/descent.js";
import { intervalOf, withInterval } from "../ask/interval.js";
import { announce } from "../parts/announce.js";
import { offerEach, offerModels, Slider } from "../parts/choices.js";
import { aboutOf, fitting, gives, hasRate, takes } from "../parts/models.js";
import { showNotes } from "../parts/notes.js";
import { fill, shown } from "../parts/numbers.js";
import { showOutside } from "../parts/outside.js";
import { TaskControls } from "../parts/task_controls.js";
import { CurvePlot } from "../plot/curve_plot.js";
import { CURVES, drawCurve, RANGE } from "../tasks/curves.js";
import { CURVE_FEATURES } from "../tasks/features.js";
import { PlacedPoints } from "../tasks/placed.js";
import { rounded } from "../tasks/random.js";
import { View } from "./view.js";

const GRID = Array.from({ length: 161 }, (_, i) => rounded(RANGE * (i / 80 - 1)));
const MOST_STEPS = 40;
const START = {
  features: "plain",
  rate: null, // null is line search
  steps: null, // null is as many as the model has
  truth: null,
  probe: -3.2,
};

const rateOf = (exponent) => rounded(10 ** exponent, 4);

export class CurveView extends View {
  constructor(host, served) {
    const models = fitting(served, "regression", (model) => takes(model, 1) && gives(model, 1));
    super(host, { ...START, model: models[0] });
    this.models = models;
    this.unfolds = served.some(({ name }) => name === ONE_STEP);
    this.descent = null;
    this.value = null; // the prediction at the probe
    this.points = new PlacedPoints(() => this.refresh(), Number(this.controls.noise.value));
    this.plot = new CurvePlot(host.querySelector("figure"), RANGE, {
      place: (x, y) => this.points.place(x, y),
      move: (i, x, y) => this.points.move(i, x, y),
      remove: (i) => this.points.remove(i),
      where: () => [this.state.probe, this.value ?? 0],
      ask: (x) => this.change({ probe: rounded(x, 2) }),
    });
    this.#listen();
    this.#draw();
  }

  #listen() {
    const { controls, state } = this;
    offerModels(controls.model, this.models, state.model);
    offerEach(controls.features, CURVE_FEATURES, state.features);
    offerEach(controls.task, CURVES, "sine");
    this.when("model", (chosen) => ({ model: this.models.find(({ name }) => name === chosen), steps: null }));
    this.when("features", (features) => ({ features }));
    const rate = new Slider(
      controls.rate,
      (exponent) => shown(rateOf(exponent)),
      (exponent) => this.change({ rate: rateOf(exponent) }),
    );
    this.when("own-rate", () => ({ rate: controls["own-rate"].checked ? rateOf(rate.value) : null }));
    controls.more.addEventListener("click", () => this.change({ steps: this.steps + 1 }));
    controls.none.addEventListener("click", () => this.change({ steps: 0 }));
    this.task = new TaskControls(controls, this.points, {
      draw: () => this.#draw(),
      add: () => {
        this.points.place(0, 0);
        this.plot.points.focus(this.points.length - 1);
      },
    });
  }

  /** How many gradient steps are shown. */
  get steps() {
    return this.state.steps ?? this.state.model.gradient_steps;
  }

  /** Draw the task again; one unit of noise is as large as y itself. */
  #draw() {
    const count = this.task.count.value;
    const { truth, points } = drawCurve(this.task.task, this.task.seed, count);
    const size = Math.sqrt(points.reduce((sum, { y }) => sum + y * y, 0) / points.length);
    this.state.truth = truth;
    this.points.draw(
      points.map(({ x, y, grain }) => ({ x, y, grain: [0, grain * size] })),
      count,
    );
    this.plot.fit(this.points.points);
  }

  refresh() {
    const { state, controls, points, steps } = this;
    const descends = this.unfolds && hasRate(state.model);
    this.part("empty").hidden = points.length > 0;
    this.part("truth-key").hidden = points.byHand;
    this.part("about").textContent = aboutOf(state.model);
    this.part("descent").hidden = !descends;
    fill(this.part("steps"), steps);
    this.part("steps-word").textContent = `gradient step${steps === 1 ? "" : "s"}, from W = 0`;
    controls.more.disabled = steps >= MOST_STEPS;
    controls.features.disabled = state.model.dims.D !== "any";
    controls.rate.disabled = state.rate === null;
    this.task.show(points);
    this.plot.points.show(points.map((point, i) => ({ ...point, words: wordsOf(point, i, points.length) })));
    const features = CURVE_FEATURES[state.model.dims.D === "any" ? state.features : "plain"];
    const question = () => ({
      request: requestOf(state, features.row, points),
      names: features.names,
      steps: descends ? state.steps : null,
    });
    this.ask(points.length ? question() : null);
  }

  /** One request, or as many as it takes to go on from the gradient steps that are there already. */
  async answer(question, signal) {
    if (question === null || question.steps === null) return super.answer(question, signal);
    const { request, steps } = question;
    if (!this.descent?.isOf(request) || this.descent.steps > steps) this.descent = new Descent(request);
    while (this.descent.steps < steps) await this.descent.step(signal);
    const { curves, latency, last } = this.descent;
    return { ...question, curves, latency, last };
  }

  show(result) {
    if (result === null) return this.#showNothing();
    const { probe } = this.state;
    const curves = result.curves ?? [result.answer.prediction];
    const latest = curves.at(-1) ?? result.request.query.map(() => 0);
    const value = latest.at(-1);
    this.value = value;
    const band = intervalOf(result.answer);
    this.plot.show(
      { xs: GRID, truth: this.#truth(), earlier: curves.slice(0, -1), curve: latest, band },
      `The prediction as a curve over x${band ? `, ${wordsOfBand(band)}` : ""}. The points follow as buttons.`,
    );
    const interval = this.#showInterval(band);
    this.plot.probe.show(`x ${shown(probe)}, prediction ${shown(value)}${interval}`);
    fill(this.part("query"), probe);
    fill(this.part("prediction"), value);
    const drawn = { name: "the curve", values: latest };
    showOutside(this.part("outside"), this.plot.chart.scales.y, { name: "The prediction at the diamond", value }, drawn);
    showNotes(this.part("notes"), result.answer?.notes, aboutNotes(result.names));
    this.status.answered(result.latency);
    this.calls.show(
      result.steps === null ? callsOf(ofProbe(result.request), this.#made()) : callsOfAll(result, this.#made()),
      aboutCalls(result),
    );
    announce(`${this.points.length} points. At x = ${shown(probe)} the prediction is ${shown(value)}${interval}.`);
  }

  /** Show where a new point at the probe is expected; returns it in words, to follow the prediction. */
  #showInterval(band) {
    this.part("interval").hidden = this.part("band-key").hidden = band === null;
    this.part("no-band").hidden = this.state.model.gives_scale;
    const [lower, upper] = band ? [band.lower.at(-1), band.upper.at(-1)] : [null, null];
    fill(this.part("lower"), lower);
    fill(this.part("upper"), upper);
    return band ? `, 90 % interval ${shown(lower)} to ${shown(upper)}` : "";
  }

  #showNothing() {
    this.value = null;
    this.plot.show(
      { xs: GRID, truth: this.#truth(), earlier: [], curve: [], band: null },
      "No points, and no prediction.",
    );
    this.#showInterval(null);
    showNotes(this.part("notes"));
    this.part("outside").hidden = true;
    this.plot.probe.show("no prediction");
    fill(this.part("prediction"), null);
    this.status.answered(null);
    this.calls.clear();
  }

  /** The function that drew the points; none once they are placed by hand. */
  #truth() {
    return this.points.byHand ? [] : GRID.map((x) => this.state.truth(x));
  }

  /** The points that features are made of; none where the model is shown x itself. */
  #made() {
    const { model, features, probe } = this.state;
    const { code } = CURVE_FEATURES[model.dims.D === "any" ? features : "plain"];
    return code && { code, x: this.points.map(({ x }) => [x]), query: [[probe]] };
  }
}

const wordsOf = ({ x, y }, i, n) =>
  `Point ${i + 1} of ${n}: x ${shown(x)}, y ${shown(y)}. Arrow keys move, Delete removes.`;

function wordsOfBand({ lower, upper }) {
  const widths = GRID.map((_, i) => upper[i] - lower[i]);
  const [least, most] = [Math.min(...widths), Math.max(...widths)].map(shown);
  return `in a band where 9 of 10 new points are expected, ${least} wide where it is narrowest and ${most} at most`;
}

/** The queries of the curve, and last the one that is read out. */
function requestOf({ model, probe, rate }, row, points) {
  const request = {
    model: model.name,
    context: { x: points.map(({ x }) => row(x)), y: points.map(({ y }) => y) },
    query: [...GRID, probe].map((x) => row(x)),
    ...(rate !== null && hasRate(model) && { parameters: { learning_rate: rate } }),
  };
  return withInterval(request, model);
}

const aboutNotes = (names) => ({ column: (j) => `“${names[j]}”`, queries: () => "Parts of the curve are" });

const ofProbe = (request) => ({ ...request, query: request.query.slice(-1) });

function callsOfAll({ request, steps, last }, made) {
  return {
    ...callsOfSteps({ ...ofProbe(request), model: ONE_STEP }, steps, made),
    curl: last
      ? `${INSTALL.curl}
# Step ${steps}: y is the residual of the steps before it; its answer is added to theirs.
${curl("v1/predict", ofProbe(last))}`
      : "# No step has been taken: every prediction is 0.",
  };
}

const aboutCalls = ({ request, steps }) =>
  `Asks for the one query above and prints its prediction${request.interval ? " with the interval" : ""}; ` +
  `the curve is the same with ${GRID.length} queries` +
  (steps === null ? "." : ", one call for each step.");
