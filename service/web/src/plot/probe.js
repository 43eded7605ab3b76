/** The query that is read out: a diamond that is dragged, or moved with the arrow keys. */

import { beyond, element, onDrag, under, within } from "./hands.js";

export class Probe {
  /**
   * @param {SVGSVGElement} svg over the canvas
   * @param {() => {x: object, y: object}} scales of Chart.js
   * @param {() => [number, number]} where it is
   * @param {(x: number, y: number) => void} moved
   */
  constructor(svg, scales, where, moved) {
    [this.scales, this.where] = [scales, where];
    const parts = [element("circle", { r: 22, class: "reach" }), element("path", { d: "M0-9 9 0 0 9-9 0Z" })];
    this.mark = svg.appendChild(element("g", { class: "probe", tabindex: 0, role: "slider" }, ...parts));
    this.mark.addEventListener("keydown", (event) => {
      const place = beyond(event, scales(), where());
      if (!place) return;
      moved(...place);
      event.preventDefault();
    });
    onDrag(this.mark, (event) => moved(...under(event, svg, scales())));
  }

  /** @param {string} words what a screen reader says of it */
  show(words) {
    const { min, max } = this.scales().x;
    const attributes = { "aria-valuenow": this.where()[0], "aria-valuemin": min, "aria-valuemax": max };
    for (const [name, value] of Object.entries({ ...attributes, "aria-valuetext": words, "aria-label": "Query" })) {
      this.mark.setAttribute(name, value);
    }
    this.place();
  }

  /** Put it where it is, as the scales say; call it after every layout. It never leaves the plot. */
  place() {
    const { x, y } = this.scales();
    const [across, up] = within({ x, y }, ...this.where());
    const [left, top] = [x.getPixelForValue(across), y.getPixelForValue(up)];
    this.mark.setAttribute("transform", `translate(${left.toFixed(1)} ${top.toFixed(1)})`);
  }
}
