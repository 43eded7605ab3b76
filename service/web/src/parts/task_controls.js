/** The controls of a task that is drawn: which, how many points, how noisy; a new one, one point more, none. */

import { Slider } from "./choices.js";
import { percent } from "./numbers.js";

const LAST_SEED = 9999;

export class TaskControls {
  /**
   * @param {HTMLFormControlsCollection} controls
   * @param {PlacedPoints} points
   * @param {{draw: () => void, add: () => void}} on draw is called for a task or seed that has changed
   */
  constructor(controls, points, on) {
    this.controls = controls;
    this.seed = 1;
    this.count = new Slider(controls.count, String, (count) => points.recount(count));
    this.noise = new Slider(controls.noise, percent, (noise) => points.shake(noise));
    controls.task.addEventListener("change", on.draw);
    controls.draw.addEventListener("click", () => {
      this.seed = (this.seed % LAST_SEED) + 1;
      on.draw();
    });
    controls.add.addEventListener("click", on.add);
    controls.clear.addEventListener("click", () => points.clear());
  }

  get task() {
    return this.controls.task.value;
  }
}
