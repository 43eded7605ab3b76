/** The curve that a model draws through its context, over its band: the truth dashed, earlier gradient steps faint. */

import { bandOf } from "./band.js";
import { chartOn, numberAxis } from "./chart.js";
import { channels } from "./colours.js";
import { Points } from "./points.js";
import { Probe } from "./probe.js";

const ROOM = 1.25; // above the largest |y|
const BAND = { fill: 0.16, edge: 0.4 };

const asLine = (xs, ys) => xs.map((x, i) => ({ x, y: ys[i] }));
const line = (data, options) => ({ data, pointRadius: 0, borderWidth: 2, parsing: false, ...options });

export class CurvePlot {
  /** @param {HTMLElement} host holds a canvas and an svg; @param {object} on as of `Points`, where() and ask(x) */
  constructor(host, range, on) {
    this.curves = { xs: [], truth: [], earlier: [], curve: [], band: null };
    this.chart = chartOn(
      host.querySelector("canvas"),
      {
        type: "line",
        data: { datasets: [] },
        options: {
          events: [],
          scales: { x: numberAxis("x", { min: -range, max: range }), y: numberAxis("y", { min: -1, max: 1 }) },
          plugins: { legend: { display: false }, tooltip: { enabled: false } },
        },
        plugins: [{ id: "marks", afterDraw: () => this.#place() }],
      },
      (chart, palette) => {
        chart.data.datasets = this.#lines(palette);
      },
    );
    const svg = host.querySelector("svg");
    const scales = () => this.chart.scales;
    this.points = new Points(svg, scales, on);
    this.probe = new Probe(svg, scales, on.where, on.ask);
  }

  /** Choose the y axis for some observations; it then stays, so that a dragged point does not move the ground. */
  fit(points) {
    const largest = ROOM * Math.max(0.5, ...points.map(({ y }) => Math.abs(y)));
    const unit = 10 ** Math.floor(Math.log10(largest)) / 2;
    const limit = Math.ceil(largest / unit) * unit;
    Object.assign(this.chart.options.scales.y, { min: -limit, max: limit });
    this.chart.update("none");
  }

  /**
   * @param {{xs: number[], truth: number[], earlier: number[][], curve: number[],
   *   band: {lower: number[], upper: number[]} | null}} curves
   * @param {string} words what they show
   */
  show(curves, words) {
    this.curves = curves;
    this.chart.canvas.setAttribute("aria-label", words);
    this.chart.repaint();
  }

  #place() {
    this.points?.place();
    this.probe?.place();
  }

  #lines({ accent, muted }) {
    const { xs, truth, earlier, curve, band } = this.curves;
    const [red, green, blue] = channels(accent);
    const faint = (i) => `rgb(${red} ${green} ${blue} / ${0.15 + (0.45 * (i + 1)) / earlier.length})`;
    return [
      line(asLine(xs, curve), { borderColor: accent, borderWidth: 3 }),
      ...earlier.map((ys, i) => line(asLine(xs, ys), { borderColor: faint(i), borderWidth: 1.5 })),
      line(truth.length ? asLine(xs, truth) : [], { borderColor: muted, borderDash: [3, 5], borderWidth: 1.5 }),
      ...(band ? bandOf(asLine(xs, band.upper), asLine(xs, band.lower), { colour: accent, ...BAND }) : []),
    ];
  }
}
