/** Named numbers as horizontal bars: to the right above zero, to the left and in the other colour below. */

import { chartOn, numberAxis } from "./chart.js";

const [HEIGHT, EDGES] = [24, 44]; // px of one bar, and of the axis

export class Bars {
  /** @param {HTMLElement} host holds a canvas; @param {string} title of the axis */
  constructor(host, title) {
    this.host = host;
    this.chart = chartOn(
      host.querySelector("canvas"),
      {
        type: "bar",
        data: { labels: [], datasets: [{ data: [], borderRadius: 3, maxBarThickness: 16 }] },
        options: {
          indexAxis: "y",
          scales: { x: numberAxis(title), y: { type: "category", ticks: { autoSkip: false } } },
          plugins: { legend: { display: false } },
        },
      },
      (chart, { accent, negative, grid }) => {
        chart.data.datasets[0].backgroundColor = ({ raw }) => (raw < 0 ? negative : accent);
        chart.options.scales.x.grid.color = grid;
        chart.options.scales.y.grid.display = false;
      },
    );
  }

  /** @param {{name: string, value: number}[]} bars from top to bottom; @param {string} words what they show */
  show(bars, words) {
    const [{ data }] = this.chart.data.datasets;
    data.splice(0, data.length, ...bars.map(({ value }) => value));
    this.chart.data.labels = bars.map(({ name }) => name);
    this.host.style.height = `${bars.length * HEIGHT + EDGES}px`;
    const listed = bars.slice(0, 10).map(({ name, value }) => `${name} ${value.toPrecision(3)}`);
    this.chart.canvas.setAttribute("aria-label", `${words}: ${listed.join(", ")}`);
    this.chart.repaint();
  }
}
