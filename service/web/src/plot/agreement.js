/** Predicted against true values, with intervals as bars: on the diagonal a prediction is right. */

import { endsOf, isInside } from "../table/pairs.js";
import { chartOn, numberAxis } from "./chart.js";
import { channels } from "./colours.js";

const MANY = 100; // bars; more of them lie on top of each other, and each is drawn fainter
const FAINTEST = 0.15; // of what a bar is among few

export class Agreement {
  /** @param {HTMLElement} host holds a canvas */
  constructor(host) {
    this.pairs = [];
    this.chart = chartOn(
      host.querySelector("canvas"),
      {
        type: "scatter",
        data: { datasets: [] },
        options: {
          scales: { x: numberAxis("true"), y: numberAxis("predicted") },
          plugins: {
            legend: { display: false },
            tooltip: { filter: ({ datasetIndex }) => datasetIndex === 0, callbacks: { label: (item) => item.raw.words } },
          },
        },
      },
      (chart, palette) => {
        chart.data.datasets = this.#sets(palette);
      },
    );
  }

  /** @param {object[]} pairs as of `pairsOf` */
  show(pairs) {
    this.pairs = pairs;
    const [low, high] = endsOf(pairs);
    const room = 0.05 * (high - low || 1);
    this.ends = [low - room, high + room];
    for (const axis of ["x", "y"]) {
      Object.assign(this.chart.options.scales[axis], { min: this.ends[0], max: this.ends[1] });
    }
    this.chart.canvas.setAttribute("aria-label", inWords(pairs));
    this.chart.repaint();
  }

  #sets({ accent, negative, muted }) {
    if (!this.pairs.length) return [];
    const mark = { pointRadius: 4, pointHoverRadius: 7, parsing: false };
    const fainter = Math.max(FAINTEST, Math.min(1, MANY / this.pairs.length));
    const diagonal = this.ends.map((end) => ({ x: end, y: end }));
    return [
      { ...mark, data: this.pairs, backgroundColor: faded(accent, 0.55), borderWidth: 0 },
      {
        type: "line",
        data: diagonal,
        pointRadius: 0,
        pointHitRadius: 0,
        borderColor: muted,
        borderDash: [3, 5],
        borderWidth: 1.5,
      },
      bars(this.pairs.filter(isInside), faded(accent, 0.5 * fainter)),
      bars(
        this.pairs.filter((pair) => !isInside(pair)),
        faded(negative, 0.7 * fainter),
      ),
    ];
  }
}

/** Vertical bars from the lower to the upper bounds, as one line with gaps. */
function bars(pairs, borderColor) {
  const data = pairs.flatMap(({ x, lower, upper }) => [lower, upper, null].map((y) => ({ x, y })));
  return { type: "line", data, parsing: false, pointRadius: 0, pointHitRadius: 0, borderColor, borderWidth: 2 };
}

function faded(colour, opacity) {
  const [red, green, blue] = channels(colour);
  return `rgb(${red} ${green} ${blue} / ${opacity})`;
}

function inWords(pairs) {
  const words = `Predicted against true values of ${pairs.length} rows`;
  if (pairs[0].lower === null) return words;
  return `${words}, each with its 90 % interval as a bar; ${pairs.filter(isInside).length} true values are inside`;
}
