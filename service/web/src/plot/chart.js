/** Chart.js with the page's manners: its colours, its font, no animation; it redraws when light turns to dark. */

import {
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
  Tooltip,
} from "chart.js";
import { colours, onSchemeChange } from "./colours.js";

Chart.register(Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, ScatterController, Tooltip);
globalThis.Chart = Chart; // for the console of the browser and for tests: Chart.getChart(canvas)

/**
 * @param {HTMLCanvasElement} canvas
 * @param {object} config of Chart.js
 * @param {(chart: object, palette: object) => void} paint sets what depends on the colours
 */
export function chartOn(canvas, { type, data, options, plugins }, paint = () => {}) {
  const chart = new Chart(canvas, {
    type,
    data,
    plugins,
    options: { animation: false, responsive: true, maintainAspectRatio: false, ...options },
  });
  chart.repaint = () => {
    const palette = colours();
    chart.options.font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
    for (const scale of Object.values(chart.options.scales)) {
      scale.grid = { ...scale.grid, color: palette.grid };
      scale.border = { display: false };
      scale.ticks = { ...scale.ticks, color: palette.muted };
      scale.title = { ...scale.title, color: palette.muted };
    }
    paint(chart, palette);
    chart.update("none");
  };
  chart.repaint();
  onSchemeChange(chart.repaint);
  return chart;
}

/** A number axis with a title, from `min` to `max` where they are given. */
export const numberAxis = (text, limits = {}) => ({
  type: "linear",
  ...limits,
  title: { display: Boolean(text), text },
  ticks: { maxTicksLimit: 7, includeBounds: false },
});
