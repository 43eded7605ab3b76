/** Points of several classes in the plane, over the decision surface that a model draws from them. */

import { chartOn, numberAxis } from "./chart.js";
import { Points } from "./points.js";
import { Probe } from "./probe.js";
import { surfaceOf, underneath } from "./surface.js";

export class ClassPlot {
  /** @param {HTMLElement} host holds a canvas and an svg; @param {object} on as of `Points`, where() and ask(x, y) */
  constructor(host, range, on) {
    this.surface = null;
    this.chart = chartOn(
      host.querySelector("canvas"),
      {
        type: "scatter",
        data: { datasets: [] },
        options: {
          events: [],
          scales: {
            x: numberAxis("x₁", { min: -range.x, max: range.x }),
            y: numberAxis("x₂", { min: -range.y, max: range.y }),
          },
          plugins: { legend: { display: false }, tooltip: { enabled: false } },
        },
        plugins: [underneath(() => this.image), { id: "marks", afterDraw: () => this.#place() }],
      },
      (_, palette) => {
        this.image = this.surface && surfaceOf(this.surface, palette);
      },
    );
    const svg = host.querySelector("svg");
    const scales = () => this.chart.scales;
    this.points = new Points(svg, scales, on);
    this.probe = new Probe(svg, scales, on.where, on.ask);
  }

  /** @param {object | null} surface as of `surfaceOf`; null for none */
  show(surface) {
    this.surface = surface;
    this.chart.repaint();
  }

  #place() {
    this.points?.place();
    this.probe?.place();
  }
}
