/** How good the predictions are, by cross-validation in the service; and which columns matter. */

import { assess } from "../ask/tables.js";
import { announce } from "../parts/announce.js";
import { Effects } from "../parts/effects.js";
import { showMethods } from "../parts/methods.js";
import { Agreement } from "../plot/agreement.js";
import { pairsOf } from "../table/pairs.js";

export class Assessed {
  /** @param {(name: string) => HTMLElement} part */
  constructor(part) {
    this.part = part;
    this.effects = new Effects(part("effects"), part("effect-template"));
    this.plot = new Agreement(part("agreement"));
  }

  /** A question is asked: remove the answer to another. */
  wait() {
    this.part("sentence").textContent = "Comparing with the mean, ridge regression and a random forest …";
    this.part("sentence").setAttribute("aria-busy", "true");
    for (const name of ["assessed", "explained", "agreed"]) this.part(name).hidden = true;
  }

  /** Ask; effects of columns are those of models of numbers. */
  async answer({ file, options, model }, signal) {
    const explain = model.task === "regression" ? "effects" : undefined;
    const { answer } = await assess(file, { ...options, explain }, signal);
    return { answer, options };
  }

  show({ answer, options: { target } }) {
    const { sentence, scores, rows, folds, not_measured, effects, held_out } = answer;
    this.#say(sentence);
    announce(sentence);
    this.part("assessed").hidden = false;
    showMethods(this.part("methods"), scores, target);
    const absent = Object.entries(not_measured ?? {}).map(([method, why]) => `${method}: ${why}.`);
    this.part("assessed-about").textContent = [
      `${rows} rows with a ${target} in ${folds} parts: each part is predicted from the others.`,
      ...absent,
    ].join(" ");
    this.part("explained").hidden = !effects;
    if (effects) this.part("explained").hidden = this.effects.show(effects) === 0;
    this.part("agreed").hidden = !held_out;
    if (held_out) this.plot.show(pairsOf(held_out));
  }

  failed(error) {
    this.#say(`Not compared with other methods: ${error.message}`);
  }

  #say(words) {
    this.part("sentence").textContent = words;
    this.part("sentence").removeAttribute("aria-busy");
  }
}
