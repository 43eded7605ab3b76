/** What an evaluation has found so far on the distribution that is chosen: scores as a table, losses as curves. */

import { nameOfDistribution } from "../parts/distributions.js";
import { Legend } from "../parts/legend.js";
import { resultOf } from "../parts/result_sentence.js";
import { listed } from "../parts/notes.js";
import { showScores } from "../parts/score_table.js";
import { LearningCurves } from "../plot/learning_curves.js";
import { looksOf } from "../plot/learners.js";

const HIDDEN = ["zero", "mean", "conjugate-gradient-8"]; // at first: the other curves are easier to distinguish without

export class Findings {
  /** @param {(name: string) => HTMLElement} part */
  constructor(part) {
    this.part = part;
    this.curves = new LearningCurves(part("curves"));
    this.legend = new Legend(part("legend"), HIDDEN, () => this.#draw());
    this.found = null;
    this.names = [];
    this.chosen = null;
    part("unfold").addEventListener("click", () => this.#unfold(part("unfold").getAttribute("aria-expanded") === "false"));
    part("distributions").addEventListener("change", ({ target }) => {
      this.chosen = target.value;
      this.#draw();
    });
  }

  /** @param {object} record; @param {object[]} scores; @param {object | null} other with its results, to lay over */
  show(record, scores, other) {
    this.part("findings").hidden = scores.length === 0;
    if (scores.length === 0) return;
    this.found = { record, scores, other };
    this.#offerDistributions([...new Set(scores.map(({ distribution }) => distribution))]);
    this.#draw();
  }

  /** Show the columns that compare with gradient descent, or fold them away. */
  #unfold(open) {
    this.part("unfold").setAttribute("aria-expanded", open);
    this.part("scores").closest("table").classList.toggle("folded", !open);
    this.part("descent-about").hidden = !open;
  }

  /** A button that is there already stays, so that it keeps its focus. */
  #offerDistributions(names) {
    if (!names.includes(this.chosen)) this.chosen = names[0];
    if (names.join("\n") === this.names.join("\n")) return;
    this.names = names;
    const template = this.part("distribution-template");
    const choices = names.map((name) => {
      const choice = template.content.firstElementChild.cloneNode(true);
      Object.assign(choice.querySelector("input"), { value: name, checked: name === this.chosen });
      choice.querySelector("span").textContent = nameOfDistribution(name);
      return choice;
    });
    const focused = this.part("distributions").contains(document.activeElement);
    this.part("distributions").replaceChildren(...choices);
    if (focused) this.part("distributions").querySelector(":checked").focus();
  }

  #draw() {
    const { record, scores, other } = this.found;
    const here = ({ distribution }) => distribution === this.chosen;
    const [own, others] = [scores.filter(here), other?.results.filter(here) ?? []];
    const models = new Set([record, ...(other ? [other] : [])].flatMap((one) => one.models.map(({ name }) => name)));
    const looks = looksOf([...new Set([...own, ...others].map(({ learner }) => learner))], models);
    const drawn = [...own.map((score) => curveOf(score, false)), ...others.map((score) => curveOf(score, true))]
      .filter(({ name, points }) => points.length > 0 && this.legend.shows(name))
      .map((curve) => ({ ...curve, look: looks.get(curve.name) }))
      .sort((a, b) => b.look.isModel - a.look.isModel);
    this.legend.show(looks);
    this.part("result").textContent = resultOf(scores, new Set(record.models.map(({ name }) => name)), this.chosen);
    const capped = this.curves.show(drawn, `Learning curves on ${nameOfDistribution(this.chosen)}`);
    this.part("capped").hidden = capped.length === 0;
    this.part("capped").textContent = `The axis is capped where the models end: ${listed(capped)} ${capped.length === 1 ? "leaves" : "leave"} it, with arrows at its edge.`;
    showScores(this.part("scores"), own, looks);
    this.part("scores-title").textContent = `On ${nameOfDistribution(this.chosen)}, after ${record.sizes.observations} observations`;
    this.part("compared-about").hidden = !other;
    this.part("compared-about").textContent = others.length
      ? "Dashed: the evaluation compared with."
      : `The evaluation compared with has no results for ${nameOfDistribution(this.chosen)}.`;
  }
}

const curveOf = ({ learner, curve }, compared) => ({ name: learner, points: curve, compared });
