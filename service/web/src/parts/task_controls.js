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
    this.task = controls.task.value; // the one that was drawn last
    this.byHand = new Option("placed by hand", "");
    controls.task.addEventListener("change", () => {
      this.task = controls.task.value;
      on.draw();
    });
    controls.draw.addEventListener("click", () => {
      this.seed = (this.seed % LAST_SEED) + 1;
      on.draw();
    });
    controls.add.addEventListener("click", on.add);
    controls.clear.addEventListener("click", () => points.clear());
  }

  /** Show how many points there are, and the task only while all of them were drawn from it. @param {PlacedPoints} points */
  show({ length, byHand }) {
    this.count.show(length);
    if (byHand) this.controls.task.prepend(this.byHand);
    else this.byHand.remove();
    this.controls.task.value = byHand ? this.byHand.value : this.task;
  }
}
