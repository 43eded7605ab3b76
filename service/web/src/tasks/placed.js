/** The points of a task: drawn at random, then placed, moved and removed by hand. */

import { rounded } from "./random.js";

/** A point is never finer than what the calls write down. */
const at = (x, y) => ({ x: rounded(x), y: rounded(y) });

/** Move a point by some noise, along its own grain. */
const shaken = (point, noise) => ({
  ...point,
  ...at(point.x + noise * point.grain[0], point.y + noise * point.grain[1]),
});

export class PlacedPoints {
  /** @param {() => void} changed is called after every change; @param {number} noise */
  constructor(changed, noise) {
    this.changed = changed;
    this.noise = noise;
    this.points = [];
    this.spare = [];
    this.byHand = false; // whether a point was placed, moved or removed since they were drawn
  }

  get length() {
    return this.points.length;
  }

  map(each) {
    return this.points.map(each);
  }

  /**
   * Start again.
   *
   * @param {{x: number, y: number, grain: number[]}[]} drawn without noise; `grain` is what one unit of noise adds
   * @param {number} count how many of them to show; the rest is kept for when more are asked for
   */
  draw(drawn, count) {
    [this.spare, this.byHand] = [drawn, false];
    this.#become(drawn.slice(0, count).map((point) => shaken(point, this.noise)));
  }

  /** Take points from the end, or add those drawn with the others; points placed by hand stay. */
  recount(count) {
    const more = this.spare.slice(this.length, count).map((point) => shaken(point, this.noise));
    this.#become([...this.points.slice(0, count), ...more]);
  }

  /** Change the noise; points that were placed by hand have none. */
  shake(noise) {
    const change = noise - this.noise;
    this.noise = noise;
    this.#become(this.points.map((point) => shaken(point, change)));
  }

  place(x, y, more = {}) {
    this.#becomeByHand([...this.points, { ...more, ...at(x, y), grain: [0, 0] }]);
  }

  move(i, x, y) {
    this.#becomeByHand(this.points.map((point, j) => (j === i ? { ...point, ...at(x, y) } : point)));
  }

  remove(i) {
    this.#becomeByHand(this.points.filter((_, j) => j !== i));
  }

  clear() {
    this.#becomeByHand([]);
  }

  #becomeByHand(points) {
    this.byHand = true;
    this.#become(points);
  }

  #become(points) {
    this.points = points;
    this.changed();
  }
}
