/** What one column adds to predictions at its values, with the interval of the effect as a band. */

import { shown } from "../parts/numbers.js";
import { bandOf } from "./band.js";
import { chartOn, numberAxis } from "./chart.js";

const BAND = { fill: 0.16 };

export class EffectPlot {
  /** @param {HTMLElement} host holds a canvas */
  constructor(host) {
    this.points = { middle: [], lower: [], upper: [] };
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
   * @param {{name: string, values: number[], effect: number[], lower?: number[], upper?: number[]}} column
   * @param {[number, number]} ends of the axis, the same for all columns
   */
  show({ name, values, effect, lower = [], upper = [] }, [min, max]) {
    const at = (numbers) => numbers.map((y, i) => ({ x: values[i], y }));
    this.points = { middle: at(effect), lower: at(lower), upper: at(upper) };
    Object.assign(this.chart.options.scales.x, { min: values[0], max: values.at(-1) });
    Object.assign(this.chart.options.scales.y, { min, max });
    const ends = [0, -1].map((i) => `${shown(effect.at(i))} at ${shown(values.at(i))}`);
    this.chart.canvas.setAttribute("aria-label", `Effect of ${name}: ${ends.join(" to ")}`);
    this.chart.repaint();
  }

  #lines({ accent }) {
    const { middle, lower, upper } = this.points;
    const line = { data: middle, parsing: false, pointRadius: 0, borderColor: accent, borderWidth: 2 };
    return [line, ...bandOf(upper, lower, { colour: accent, ...BAND })];
  }
}
