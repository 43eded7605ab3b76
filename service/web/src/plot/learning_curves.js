/** Loss against the number of observations, on log axes: models with bands of 95 %, references in grey. */

import { shown } from "../parts/numbers.js";
import { bandOf } from "./band.js";
import { chartOn, numberAxis } from "./chart.js";
import { channels } from "./colours.js";

const LEAST = 1e-300; // what a loss of 0 is drawn as, far below the axis
const SIDE = 1.08; // of the axis, beyond the first and the last length
const ROOM = { above: 1.6, below: 30 }; // the axis follows the models; values further off are arrows at its edge

const logAxis = (title, options) => ({ ...numberAxis(title), type: "logarithmic", ...options });

export class LearningCurves {
  /** @param {HTMLElement} host holds a canvas */
  constructor(host) {
    [this.curves, this.limits] = [[], {}];
    const lengths = (axis) => (axis.ticks = [...this.#lengths()].map((value) => ({ value })));
    this.chart = chartOn(
      host.querySelector("canvas"),
      {
        type: "line",
        data: { datasets: [] },
        options: {
          interaction: { mode: "nearest", intersect: false },
          scales: {
            x: logAxis("observations in the context", { afterBuildTicks: lengths, ticks: { callback: String } }),
            y: logAxis("loss", { ticks: { callback: decade } }),
          },
          plugins: {
            legend: { display: false },
            tooltip: {
              filter: ({ raw }) => "words" in raw,
              callbacks: { title: () => "", label: ({ raw }) => raw.words },
            },
          },
        },
      },
      (chart, palette) => {
        chart.data.datasets = this.curves.flatMap((curve) => linesOf(curve, palette, this.limits));
      },
    );
  }

  /**
   * @param {{name: string, look: object, points: object[], compared: boolean}[]} curves the ones on top first; one that
   *   is `compared` belongs to the other evaluation
   * @param {string} words what they show
   * @returns {string[]} the names of those that leave the axis
   */
  show(curves, words) {
    this.curves = curves;
    this.limits = limitsOf(curves);
    Object.assign(this.chart.options.scales.y, this.limits);
    const lengths = [...this.#lengths()];
    const [first, last] = [Math.min(...lengths), Math.max(...lengths)];
    Object.assign(this.chart.options.scales.x, { min: first / SIDE, max: last * SIDE });
    this.chart.canvas.setAttribute("aria-label", `${words}: ${curves.map(inWords).join("; ")}`);
    this.chart.repaint();
    const leaves = ({ points }) => points.some(({ loss }) => sideOf(placed(loss.mean), this.limits) !== 0);
    return [...new Set(curves.filter(leaves).map(({ name }) => name))];
  }

  #lengths() {
    return new Set(this.curves.flatMap(({ points }) => points.map(({ observations }) => observations)));
  }
}

/** The line of the means and, for a model, the band around it. */
function linesOf({ name, look, points, compared }, palette, limits) {
  const own = look.isModel ? palette.classes[look.colour] : palette.muted;
  const [red, green, blue] = channels(own);
  const strong = look.isModel && !compared;
  const at = (part) => points.map(({ observations, loss }) => ({ x: observations, y: placed(loss[part]) }));
  const sides = points.map(({ loss }) => sideOf(placed(loss.mean), limits));
  const line = {
    data: points.map((point) => pointOf(point, name, compared, limits)),
    parsing: false,
    borderColor: look.isModel ? own : `rgb(${red} ${green} ${blue} / 0.6)`,
    backgroundColor: own,
    borderWidth: look.isModel ? 2.5 : 1.25,
    borderDash: compared ? [6, 5] : [],
    pointStyle: sides.map((side) => (side === 0 ? look.style : "triangle")),
    pointRotation: sides.map((side) => (side < 0 ? 180 : 0)),
    clip: 8,
    pointRadius: look.isModel ? 4.5 : 3.5,
    pointBorderColor: own,
  };
  if (!strong) return [line];
  return [line, ...bandOf(at("high"), at("low"), { colour: own, fill: 0.14 })];
}

/** Powers of ten are named, and their halves and fifths where there is room for them. */
function decade(value, _, ticks) {
  const digit = Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  const named = ticks.length > 24 ? [1] : [1, 2, 5];
  if (!named.includes(digit)) return "";
  return shown(Number(value.toPrecision(3)));
}

const placed = (loss) => (loss === null ? Number.NaN : Math.max(loss, LEAST));

function pointOf({ observations, loss }, name, compared, limits) {
  const range = `${shown(loss.mean)} (${shown(loss.low)} to ${shown(loss.high)})`;
  const words = `${name}${compared ? ", compared" : ""}: ${range} after ${observations}`;
  return { x: observations, y: capped(placed(loss.mean), limits), words };
}

/** 1 above the axis, −1 below it, 0 on it. */
const sideOf = (loss, { min, max }) => Number(loss > max) - Number(loss < min);

const capped = (loss, { min = loss, max = loss }) => Math.min(max, Math.max(min, loss));

function limitsOf(curves) {
  const models = curves.filter(({ look }) => look.isModel);
  const losses = (models.length ? models : curves)
    .flatMap(({ points }) => points.map(({ loss }) => loss.mean))
    .filter((loss) => loss > 0);
  if (!losses.length) return { min: undefined, max: undefined };
  return { min: Math.min(...losses) / ROOM.below, max: Math.max(...losses) * ROOM.above };
}

function inWords({ name, points, compared }) {
  const [first, last] = [points[0], points.at(-1)];
  return `${name}${compared ? ", compared" : ""} from ${shown(first.loss.mean)} to ${shown(last.loss.mean)}`;
}
