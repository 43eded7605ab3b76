/** The first view: a context learns a stream row by row, a mistake is taken out of it, and any row is forgotten. */

import { models } from "../ask/api.js";
import { LiveContext } from "../ask/live_context.js";
import { callsOf } from "../ask/live_calls.js";
import { announce } from "../parts/announce.js";
import { CallPanel } from "../parts/call_panel.js";
import { fill, shown, tenths } from "../parts/numbers.js";
import { showOutside } from "../parts/outside.js";
import { Status } from "../parts/status.js";
import { LivePlot } from "../plot/live_plot.js";
import { rounded } from "../tasks/random.js";
import { clock, DEGREES, HOURS, readings, SCALE } from "../tasks/temperatures.js";

const SEED = 1;
const LEAST = 3; // rows that stay
const FIRST = 6; // rows that the context is created with
const PACE = 700; // ms from one row to the next
const REST = 3000; // ms after the mistake is taken out
const MODEL = "nonlinear";
const ASKED = 18; // the hour of the readout
const HOURS_ASKED = Array.from({ length: 97 }, (_, i) => i / 4);

export class LiveView {
  constructor(host) {
    this.host = host;
    const { pause, again } = host.querySelector("form.controls").elements;
    this.pause = pause;
    this.queue = Promise.resolve();
    this.status = new Status(host.querySelector(".status"), () => this.#act(() => this.#start()));
    this.calls = new CallPanel(host.querySelector(".calls"));
    this.plot = new LivePlot(host, { x: HOURS, y: DEGREES, words: clock }, {
      add: (x, y) => this.#act(() => this.#add({ x: rounded(x, 1), y: rounded(y, 1) })),
      toggle: (i) => this.#act(() => this.#toggle(this.rows[i])),
    });
    pause.addEventListener("click", () => this.#run(!this.running));
    again.addEventListener("click", () => this.#act(() => this.#start()));
    this.part("act").addEventListener("click", () => this.#act(() => this.#toggle(this.rows.find(({ meant }) => meant))));
    this.#act(() => this.#start());
  }

  part(name) {
    return this.host.querySelector(`[data-part=${name}]`);
  }

  /** Begin with a new context. */
  async #start() {
    clearTimeout(this.timer);
    const all = readings(SEED);
    Object.assign(this, { context: null, before: null, coming: all.slice(FIRST) });
    this.rows = all.slice(0, FIRST).map((row) => ({ ...row, forgotten: false }));
    this.#say("learning", "Rows are learnt as they come. Nothing is trained.");
    this.context = await contextOf(this.rows);
    await this.#predict();
    this.#run(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  }

  /** One thing after the other, with its requests. */
  #act(action) {
    this.queue = this.queue.then(action).catch((error) => this.#failed(error));
  }

  #failed(error) {
    this.#run(false);
    this.status.failed(error);
  }

  #run(running, after = PACE) {
    clearTimeout(this.timer);
    this.running = running && this.coming.length > 0;
    this.pause.textContent = this.running ? "Pause" : "Continue";
    this.pause.disabled = this.coming.length === 0 || this.stage === "mistake";
    if (this.running) this.timer = setTimeout(() => this.#next(), after);
  }

  /** One row more, while the view is shown. */
  #next() {
    if (this.host.hidden) return this.#run(true);
    this.#act(async () => {
      const row = this.coming.shift();
      if (row.meant) this.before = this.answer;
      await this.#add(row);
      if (row.meant) this.#showMistake(row);
      else if (this.coming.length === 0) this.#say("ready", `All ${this.#known().length} rows are learnt. Forget one: press it.`);
      else if (this.stage === "removed") this.#say("learning", "The next rows are learnt.");
      this.#run(this.running && !row.meant);
    });
  }

  #showMistake({ x, y, meant }) {
    const words = `The reading of ${clock(x)} lost its decimal point: ${shown(y)} °C in place of ${shown(meant)}. The band shows the doubt.`;
    this.#say("mistake", words, "Take it out");
  }

  async #add(row) {
    if (!this.context) return;
    await this.#change(row, 1);
    this.rows.push({ ...row, forgotten: false });
    await this.#predict();
  }

  /** Forget a row, or learn it again. */
  async #toggle(row) {
    if (!row.forgotten && this.#known().length <= LEAST) return this.#say(this.stage, "The last rows stay, else there is no band.");
    await this.#change(row, row.forgotten ? 1 : -1);
    row.forgotten = !row.forgotten;
    await this.#predict();
    if (row.meant && row.forgotten && this.before) return this.#showRemoved();
    const words = row.forgotten ? "is forgotten: the context has no trace of it" : "is learnt again";
    this.#say(this.stage, `The reading of ${clock(row.x)} ${words}.`);
  }

  #showRemoved() {
    const difference = Math.max(...this.answer.prediction.map((value, i) => Math.abs(value - this.before.prediction[i])));
    const words = `It is taken out. The curve is the one before it came: the largest difference is ${shown(difference)} °C.`;
    this.before = null;
    this.#say("removed", words);
    this.#run(true, REST);
  }

  async #change(row, weight) {
    const { compute } = await this.context.change(row, weight);
    this.part("took").textContent = compute === null ? "–" : `${tenths(compute)} ms`;
  }

  async #predict() {
    this.answer = await this.context.predict(HOURS_ASKED);
    this.#show();
  }

  #known() {
    return this.rows.filter(({ forgotten }) => !forgotten);
  }

  #show() {
    const { prediction, lower, upper, latency } = this.answer;
    const width = lower.reduce((sum, low, i) => sum + upper[i] - low, 0) / lower.length;
    const i = HOURS_ASKED.indexOf(ASKED);
    this.plot.show({
      xs: HOURS_ASKED,
      prediction,
      lower,
      upper,
      rows: this.rows.map(markOf),
      words: `The prediction over the day, in a band ${tenths(width)} °C wide on average`,
    });
    fill(this.part("count"), this.#known().length);
    const degrees = { width, prediction: prediction[i], lower: lower[i], upper: upper[i] };
    for (const [name, value] of Object.entries(degrees)) fill(this.part(name), value, tenths);
    this.part("interval").hidden = false;
    const answer = { name: `The prediction for ${clock(ASKED)}`, value: prediction[i] };
    showOutside(this.part("outside"), DEGREES, answer, { name: "the band", values: [...lower, ...upper] });
    this.status.answered(latency);
    this.calls.show(callsOf(this.#known().filter(({ meant }) => !meant), SCALE, ASKED), "Creates a context, learns the rows above, takes a mistake out, and predicts.");
  }

  /** Say what has happened, and offer the next step. */
  #say(stage, words, act = "") {
    this.stage = stage;
    this.part("story").textContent = words;
    this.part("story-box").dataset.stage = stage;
    this.part("act").hidden = !act;
    if (act) this.part("act").textContent = act;
    for (const step of this.part("steps").children) {
      if (step.dataset.stage === stage) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    }
    announce(words);
  }
}

/** A context of the model of this view, or of the first one that is served and has intervals. */
async function contextOf(rows) {
  try {
    return await LiveContext.create(MODEL, SCALE, rows);
  } catch (error) {
    if (error.status !== 404) throw error;
    const other = (await models()).models.find(({ gives_scale: gives, dims }) => gives && dims.D === "any");
    if (!other) throw error;
    return LiveContext.create(other.name, undefined, rows);
  }
}

function markOf({ x, y, meant, forgotten }) {
  const kind = meant ? "mistake" : "reading";
  return {
    x,
    y,
    class: `${kind}${forgotten ? " forgotten" : ""}`,
    pressed: String(forgotten),
    words: `${meant ? "Mistake" : "Reading"} of ${clock(x)}: ${shown(y)} °C. Forget`,
  };
}
