/** What one column adds to predictions at its values, with the interval of the effect as a band, or as bars of levels. */

import { shown } from "../parts/numbers.js";
import { bandOf } from "./band.js";
import { chartOn, numberAxis } from "./chart.js";
import { channels } from "./colours.js";

const BAND = { fill: 0.16 };
const [ALL_LABELS, LONGEST] = [32, 12]; // characters of the labels of one axis, and of one label
const MANY = 8; // labels; of more of them Chart.js leaves some out
const YEAR = 365.25 * 24 * 3600 * 1000; // ms
const ROOM = 0.5; // before the first level and after the last, in steps

export class EffectPlot {
  /** @param {HTMLElement} host holds a canvas */
  constructor(host) {
    this.drawn = { places: [], effect: [], lower: [], upper: [], levels: false };
    const options = {
      events: [],
      scales: { x: numberAxis(""), y: numberAxis("") },
      plugins: { legend: { display: false }, tooltip: { enabled: false } },
    };
    for (const axis of Object.values(options.scales)) axis.ticks = { ...axis.ticks, maxTicksLimit: 5, maxRotation: 0 };
    this.chart = chartOn(
      host.querySelector("canvas"),
      { type: "line", data: { datasets: [] }, options },
      (chart, palette) => {
        chart.data.datasets = this.#lines(palette);
      },
    );
  }

  /**
   * @param {{name: string, kind: string, part?: string, values: (number | string)[], effect: number[],
   *   lower?: number[], upper?: number[]}} column
   * @param {[number, number]} ends of the axis, the same for all columns
   */
  show(column, [min, max]) {
    const { name, values, effect, lower = [], upper = [], ...axis } = column.kind === "category" ? falling(column) : column;
    const levels = ["category", "yes_no"].includes(axis.kind);
    const { places, words, ends, each } = scaleOf(axis, values);
    this.drawn = { places, effect, lower, upper, levels };
    Object.assign(this.chart.options.scales.x, ends);
    this.chart.options.scales.x.ticks.callback = words;
    this.chart.options.scales.x.afterBuildTicks = each ? (scale) => (scale.ticks = places.map((value) => ({ value }))) : () => {};
    Object.assign(this.chart.options.scales.y, { min, max });
    const named = levels ? values.map((_, i) => i) : [0, effect.length - 1];
    const said = named.map((i) => `${shown(effect[i])} at ${typeof values[i] === "number" ? shown(values[i]) : values[i]}`);
    this.chart.canvas.setAttribute("aria-label", `Effect of ${name}: ${said.join(levels ? ", " : " to ")}`);
    this.chart.repaint();
  }

  #lines({ accent }) {
    const { places, effect, lower, upper, levels } = this.drawn;
    const at = (numbers) => numbers.map((y, i) => ({ x: places[i], y }));
    const line = { data: at(effect), parsing: false, pointRadius: 0, borderColor: accent, borderWidth: 2 };
    if (!levels) return [line, ...bandOf(at(upper), at(lower), { colour: accent, ...BAND })];
    const bars = upper.flatMap((end, i) => [lower[i], end, null].map((y) => ({ x: places[i], y })));
    const faint = `rgb(${channels(accent).join(" ")} / 0.5)`;
    return [
      { ...line, showLine: false, pointRadius: effect.length > MANY ? 2.5 : 4, pointBackgroundColor: accent },
      { data: bars, parsing: false, pointRadius: 0, borderColor: faint, borderWidth: 3 },
    ];
  }
}

/** Levels by their effect, the largest first. */
function falling(column) {
  const order = column.values.map((_, i) => i).sort((a, b) => column.effect[b] - column.effect[a]);
  const sorted = (numbers) => numbers && order.map((i) => numbers[i]);
  const { values, effect, lower, upper } = column;
  return { ...column, values: sorted(values), effect: sorted(effect), lower: sorted(lower), upper: sorted(upper) };
}

/** Where values are on the axis, the words at a place, and whether each value has its own. */
function scaleOf({ kind, part }, values) {
  if (kind === "number") {
    return { places: values, words: (value) => shown(value), ends: { min: values[0], max: values.at(-1) } };
  }
  if (part === "elapsed") {
    const places = values.map((value) => Date.parse(`${value.replace(" ", "T")}${value.includes("T") ? "Z" : ""}`));
    const length = places.at(-1) - places[0] > 4 * YEAR ? 4 : places.at(-1) - places[0] > YEAR / 12 ? 7 : 10;
    const words = (value) => new Date(value).toISOString().slice(0, length);
    return { places, words, ends: { min: places[0], max: places.at(-1) } };
  }
  const places = values.map((_, i) => i);
  const ends = { min: -ROOM, max: values.length - 1 + ROOM };
  const length = values.length > MANY ? LONGEST : Math.min(LONGEST, Math.floor(ALL_LABELS / values.length));
  return { places, words: (value) => brief(String(values[value] ?? ""), length), ends, each: true };
}

const brief = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
