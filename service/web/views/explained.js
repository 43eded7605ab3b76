/** Why a prediction is what it is: weights or effects of columns, pairs of columns, and what each row adds. */

import { predict } from "../ask/api.js";
import { newestWins } from "../ask/newest.js";
import { Effects } from "../parts/effects.js";
import { Bars } from "../plot/bars.js";

const MOST_BARS = 16;
const NOTICEABLE = 0.01;

export class Explained {
  /** @param {(name: string) => HTMLElement} part; @param {(error: Error) => void} failed */
  constructor(part, failed) {
    this.part = part;
    this.bars = Object.fromEntries(
      ["weights", "pairs", "contributions"].map((name) => [name, new Bars(part(name), "")]),
    );
    this.effects = new Effects(part("effects"), part("effect-template"));
    this.ask = newestWins(answerTo, (answer) => this.#show(answer), failed);
  }

  /**
   * @param {object} request a prediction of the one row that was chosen
   * @param {{names: string[], spreads: number[], numbers: number[], target: string, row: number}} about its features
   *   with their standard deviations, the file's rows in the context, the predicted column, and the row
   */
  explain(request, about) {
    this.ask({ request, about });
  }

  #show({ explanation, refusal, about }) {
    const { implicit_weights, effects, contributions } = explanation ?? {};
    const pairs = explanation && strongPairs(explanation);
    this.#draw("weights", implicit_weights, () => this.#showWeights(implicit_weights, about));
    const columns = (effects?.columns ?? []).filter(({ values }) => values.length > 1);
    this.#draw("effects", !implicit_weights && columns.length, () => this.effects.show(columns, about.names));
    this.#draw("pairs", pairs?.length, () => this.#showPairs(pairs, about));
    this.#draw("contributions", contributions, () => this.#showContributions(contributions, about));
    this.part("explain-call").hidden = !explanation;
    this.part("unexplained").hidden = !refusal;
    this.part("unexplained").textContent = refusal ?? "";
  }

  #draw(name, isThere, draw) {
    this.part(name).parentElement.hidden = !isThere;
    if (isThere) draw();
  }

  #showWeights({ weights }, { names, spreads }) {
    const bars = weights.map((weight, j) => ({ name: names[j], value: weight * spreads[j] }));
    this.bars.weights.show(largest(bars, "other features"), "Implicit weights");
  }

  #showPairs(pairs, { names }) {
    const bars = pairs.map(({ columns, strength }) => ({
      name: columns.map((j) => names[j]).join(" × "),
      value: strength,
    }));
    this.bars.pairs.show(bars, "Interactions");
  }

  #showContributions([shares], { target, row, numbers }) {
    const bars = shares.map((value, i) => ({ name: `row ${numbers[i]}`, value }));
    this.bars.contributions.show(largest(bars, "all others"), "Contributions");
    this.part("contributions-about").textContent =
      `What each row of the context adds to the ${target} predicted for row ${row}. Together they are the prediction.`;
  }
}

/** The pairs of columns that move predictions noticeably, compared with the strongest column. */
function strongPairs({ effects, pairs = [] }) {
  const strongest = Math.max(0, ...(effects?.columns ?? []).map(({ strength }) => strength));
  return pairs.filter(({ strength }) => strength > NOTICEABLE * strongest);
}

/** A model may have no explanation at all: its refusal is the answer. */
async function answerTo({ request, about }, signal) {
  try {
    const { answer } = await predict({ ...request, explain: true }, signal);
    return { about, explanation: answer.explanation };
  } catch (error) {
    if (error.status !== 422) throw error;
    return { about, refusal: error.message.replace(/^explain: /, "") };
  }
}

/** The bars with the largest values, and the sum of the rest as one. */
function largest(bars, others) {
  const order = bars.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
  if (order.length <= MOST_BARS) return order;
  const [kept, rest] = [order.slice(0, MOST_BARS - 1), order.slice(MOST_BARS - 1)];
  return [...kept, { name: `${others} (${rest.length})`, value: rest.reduce((sum, { value }) => sum + value, 0) }];
}
