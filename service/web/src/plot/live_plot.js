/**
 * Readings over the hours of a day with the prediction and its band, all as SVG: the first view does not wait for
 * a library of charts. Every reading is a button.
 */

import { element, under } from "./hands.js";

const EDGE = { left: 34, right: 8, top: 10, bottom: 26 }; // pixels
const STEPS = { x: 6, y: 5 }; // from one tick to the next

export class LivePlot {
  /**
   * @param {HTMLElement} host holds an svg
   * @param {{x: {min: number, max: number}, y: {min: number, max: number}, words: (x: number) => string}} axes words
   *   of the ticks of x
   * @param {{add: (x: number, y: number) => void, toggle: (i: number) => void}} on
   */
  constructor(host, axes, on) {
    [this.host, this.axes, this.on] = [host, axes, on];
    this.svg = host.querySelector("svg");
    this.drawn = { xs: [], rows: [], prediction: [], lower: [], upper: [], words: "No prediction yet" };
    const clip = element("clipPath", { id: "live-clip" }, element("rect"));
    [this.grid, this.curves, this.marks] = ["grid", "curves", "marks"].map((name) => element("g", { class: name }));
    this.curves.setAttribute("clip-path", "url(#live-clip)");
    this.curves.setAttribute("role", "img");
    this.curves.append(element("path", { class: "band-area" }), element("path", { class: "curve-line" }));
    this.svg.append(clip, this.grid, this.curves, this.marks);
    this.svg.addEventListener("click", (event) => {
      if (!event.target.closest(".point")) on.add(...under(event, this.svg, this.#scales()));
    });
    new ResizeObserver(() => this.#draw()).observe(this.svg);
  }

  /** @param {{xs: number[], prediction: number[], lower: number[], upper: number[], rows: object[], words: string}} drawn */
  show(drawn) {
    this.drawn = drawn;
    this.#draw();
  }

  #scales() {
    const { width, height } = this.svg.getBoundingClientRect();
    const { x, y } = this.axes;
    return {
      x: scaleOf(x, EDGE.left, width - EDGE.right),
      y: scaleOf(y, height - EDGE.bottom, EDGE.top),
    };
  }

  #draw() {
    const scales = this.#scales();
    const [x, y] = [scales.x.getPixelForValue, scales.y.getPixelForValue];
    const { xs, prediction, lower, upper, rows, words } = this.drawn;
    this.#drawGrid(x, y);
    const at = (values) => xs.map((value, i) => `${x(value).toFixed(1)} ${y(values[i]).toFixed(1)}`);
    const [area, line] = this.curves.children;
    line.setAttribute("d", xs.length ? `M${at(prediction).join("L")}` : "");
    area.setAttribute("d", lower.length ? `M${at(upper).join("L")}L${at(lower).reverse().join("L")}Z` : "");
    this.curves.setAttribute("aria-label", words);
    this.#drawMarks(rows, x, y);
  }

  #drawGrid(x, y) {
    const { x: across, y: up, words } = this.axes;
    const [left, right, top, bottom] = [x(across.min), x(across.max), y(up.max), y(up.min)];
    const clip = this.svg.querySelector("clipPath rect");
    for (const [name, value] of Object.entries({ x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) })) {
      clip.setAttribute(name, value);
    }
    const text = (words, attributes) => element("text", { class: "tick", ...attributes }, words);
    this.grid.replaceChildren(
      ...ticksOf(up, STEPS.y).flatMap((value) => [
        element("line", { x1: left, x2: right, y1: y(value), y2: y(value) }),
        text(`${value}°`, { x: left - 7, y: y(value) + 4, "text-anchor": "end" }),
      ]),
      ...ticksOf(across, STEPS.x).flatMap((value) => [
        element("line", { x1: x(value), x2: x(value), y1: top, y2: bottom }),
        text(words(value), { x: x(value), y: bottom + 19, "text-anchor": anchorOf(value, across) }),
      ]),
    );
  }

  /** A mark that is there already stays, so that it keeps its focus. */
  #drawMarks(rows, x, y) {
    while (this.marks.children.length > rows.length) this.marks.lastChild.remove();
    while (this.marks.children.length < rows.length) this.#addMark(this.marks.children.length);
    rows.forEach((row, i) => {
      const mark = this.marks.children[i];
      mark.setAttribute("class", `point ${row.class}`);
      mark.setAttribute("aria-label", row.words);
      mark.setAttribute("aria-pressed", row.pressed);
      mark.setAttribute("transform", `translate(${x(row.x).toFixed(1)} ${y(row.y).toFixed(1)})`);
    });
  }

  #addMark(i) {
    const parts = [element("circle", { r: 14, class: "reach" }), element("circle", { r: 6, class: "dot" })];
    const mark = element("g", { tabindex: 0, role: "button" }, ...parts);
    mark.addEventListener("click", () => this.on.toggle(i));
    mark.addEventListener("keydown", (event) => {
      if (!["Enter", " ", "Delete", "Backspace"].includes(event.key)) return;
      this.on.toggle(i);
      event.preventDefault();
    });
    this.marks.append(mark);
  }
}

/** A linear scale with the methods of Chart.js. */
function scaleOf({ min, max }, from, to) {
  const unit = (to - from) / (max - min);
  return {
    min,
    max,
    getPixelForValue: (value) => from + (value - min) * unit,
    getValueForPixel: (pixel) => min + (pixel - from) / unit,
  };
}

const ticksOf = ({ min, max }, step) =>
  Array.from({ length: Math.floor((max - min) / step) + 1 }, (_, i) => min + i * step);

function anchorOf(value, { min, max }) {
  if (value === min) return "start";
  return value === max ? "end" : "middle";
}
