/** Predicted against true values: on the diagonal a prediction is right. A click chooses the nearest. */

import { chartOn, numberAxis } from "./chart.js";
import { channels } from "./colours.js";

export class Agreement {
  /** @param {HTMLElement} host holds a canvas; @param {(i: number) => void} choose */
  constructor(host, choose) {
    this.pairs = [];
    this.chosen = null;
    this.chart = chartOn(
      host.querySelector("canvas"),
      {
        type: "scatter",
        data: { datasets: [] },
        options: {
          scales: { x: numberAxis("true"), y: numberAxis("predicted") },
          plugins: {
            legend: { display: false },
            tooltip: { filter: ({ datasetIndex }) => datasetIndex < 2, callbacks: { label: (item) => item.raw.words } },
          },
          onClick: (event, _, chart) => {
            const [nearest] = chart.getElementsAtEventForMode(event, "nearest", { intersect: false }, true);
            const pair = nearest && chart.data.datasets[nearest.datasetIndex].data[nearest.index];
            if (pair?.i !== undefined) choose(pair.i);
          },
        },
      },
      (chart, palette) => {
        chart.data.datasets = this.#sets(palette);
      },
    );
  }

  /** @param {{x: number, y: number, words: string}[]} pairs true and predicted; @param {number | null} chosen */
  show(pairs, chosen) {
    this.pairs = pairs.map((pair, i) => ({ ...pair, i }));
    this.chosen = chosen;
    const low = pairs.reduce((least, { x, y }) => Math.min(least, x, y), Number.POSITIVE_INFINITY);
    const high = pairs.reduce((most, { x, y }) => Math.max(most, x, y), Number.NEGATIVE_INFINITY);
    const room = 0.05 * (high - low || 1);
    this.ends = [low - room, high + room];
    for (const axis of ["x", "y"]) {
      Object.assign(this.chart.options.scales[axis], { min: this.ends[0], max: this.ends[1] });
    }
    this.chart.repaint();
  }

  #sets({ accent, muted, ink, surface }) {
    if (!this.pairs.length) return [];
    const [red, green, blue] = channels(accent);
    const mark = { pointRadius: 5, pointHoverRadius: 7, parsing: false };
    const diagonal = this.ends.map((end) => ({ x: end, y: end }));
    return [
      {
        ...mark,
        data: this.chosen === null ? [] : [this.pairs[this.chosen]],
        pointRadius: 8,
        pointHoverRadius: 8,
        backgroundColor: ink,
        borderColor: surface,
        borderWidth: 2,
      },
      { ...mark, data: this.pairs, backgroundColor: `rgb(${red} ${green} ${blue} / 0.55)`, borderWidth: 0 },
      {
        type: "line",
        data: diagonal,
        pointRadius: 0,
        pointHitRadius: 0,
        borderColor: muted,
        borderDash: [3, 5],
        borderWidth: 1.5,
      },
    ];
  }
}
