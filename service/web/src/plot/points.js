/**
 * Points that can be taken hold of: an SVG over the plot, one focusable mark a point.
 *
 * Click on free ground places a point, drag moves it, double click or Delete removes it; with the keyboard, Tab goes
 * from point to point and the arrow keys move.
 */

import { beyond, element, onDrag, under } from "./hands.js";

export class Points {
  /**
   * @param {SVGSVGElement} svg over the canvas
   * @param {() => {x: object, y: object}} scales of Chart.js, read again for each use
   * @param {object} on callbacks: place(x, y), move(i, x, y), remove(i)
   */
  constructor(svg, scales, on) {
    [this.svg, this.scales, this.on] = [svg, scales, on];
    this.points = [];
    this.layer = svg.appendChild(element("g"));
    this.svg.addEventListener("click", (event) => {
      if (event.target === this.svg) on.place(...under(event, svg, scales()));
    });
  }

  /** @param {{x: number, y: number, words: string, class?: string}[]} points */
  show(points) {
    this.points = points;
    while (this.layer.children.length > points.length) this.layer.lastChild.remove();
    while (this.layer.children.length < points.length) this.#add(this.layer.children.length);
    points.forEach((point, i) => {
      const mark = this.layer.children[i];
      mark.setAttribute("class", `point ${point.class ?? ""}`);
      mark.setAttribute("aria-label", point.words);
    });
    this.place();
  }

  /** Put the marks where the scales say; call it after every layout. */
  place() {
    const { x, y } = this.scales();
    this.points.forEach((point, i) => {
      const [left, top] = [x.getPixelForValue(point.x), y.getPixelForValue(point.y)];
      this.layer.children[i].setAttribute("transform", `translate(${left.toFixed(1)} ${top.toFixed(1)})`);
    });
  }

  focus(i) {
    this.layer.children[Math.min(i, this.points.length - 1)]?.focus();
  }

  #add(i) {
    const parts = [element("circle", { r: 20, class: "reach" }), element("circle", { r: 6, class: "dot" })];
    const mark = element("g", { tabindex: 0, role: "button" }, ...parts);
    mark.addEventListener("keydown", (event) => this.#onKey(event, i));
    mark.addEventListener("dblclick", () => this.on.remove(i));
    onDrag(mark, (event) => this.on.move(i, ...under(event, this.svg, this.scales())));
    this.layer.append(mark);
  }

  #onKey(event, i) {
    const { x, y } = this.points[i];
    const place = beyond(event, this.scales(), [x, y]);
    if (place) {
      this.on.move(i, ...place);
    } else if (["Delete", "Backspace"].includes(event.key)) {
      this.on.remove(i);
      this.focus(i);
    } else {
      return;
    }
    event.preventDefault();
  }
}
