/** Why a prediction is what it is: the weights that the context amounts to, and what each row adds. */

import { predict } from "../ask/api.js";
import { newestWins } from "../ask/newest.js";
import { Bars } from "../plot/bars.js";

const MOST_BARS = 16;

export class Explained {
  /** @param {(name: string) => HTMLElement} part; @param {(error: Error) => void} failed */
  constructor(part, failed) {
    this.part = part;
    this.bars = { implicit_weights: new Bars(part("weights"), ""), contributions: new Bars(part("contributions"), "") };
    this.ask = newestWins(answersTo, (answers) => this.#show(answers), failed);
  }

  /**
   * @param {object} request a prediction of the one row that was chosen
   * @param {{names: string[], spreads: number[], numbers: number[], target: string, row: number}} about its features
   *   with their standard deviations, the file's rows in the context, what is predicted, and for which row
   */
  explain(request, about) {
    this.ask({ request, about });
  }

  #show({ answers, about }) {
    const [weights, contributions] = answers;
    this.#draw("weights", weights, (answer) => {
      const values = answer.explanation.implicit_weights.weights.map((weight, j) => weight * about.spreads[j]);
      const bars = values.map((value, j) => ({ name: about.names[j], value }));
      this.bars.implicit_weights.show(largest(bars, "other features"), "Implicit weights");
    });
    this.#draw("contributions", contributions, (answer) => {
      const bars = answer.explanation.contributions[0].map((value, i) => ({ name: `row ${about.numbers[i]}`, value }));
      this.bars.contributions.show(largest(bars, "all others"), "Contributions");
      this.part("contributions-about").textContent =
        `What each row of the context adds to the ${about.target} predicted for row ${about.row}. ` +
        "Together they are the prediction.";
    });
    const missing = answers.filter(({ error }) => error).map(({ error }) => error.message.replace(/^explain: /, ""));
    this.part("explain-call").hidden = missing.length > 0;
    this.part("unexplained").hidden = missing.length === 0;
    this.part("unexplained").textContent = missing.join(" ");
  }

  #draw(name, { answer, error }, draw) {
    this.part(name).parentElement.hidden = Boolean(error);
    if (!error) draw(answer);
  }
}

/** A model may have one explanation and not the other, so each is asked for by itself; a refusal is its answer. */
async function answersTo({ request, about }, signal) {
  const ask = async (explain) => {
    try {
      return (await predict({ ...request, explain: [explain] }, signal)).answer;
    } catch (error) {
      if (error.status !== 422) throw error;
      return { error };
    }
  };
  const answers = await Promise.all(["implicit_weights", "contributions"].map(ask));
  return { about, answers: answers.map((answer) => (answer.error ? answer : { answer })) };
}

/** The bars with the largest values, and the sum of the rest as one. */
function largest(bars, others) {
  const order = bars.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
  if (order.length <= MOST_BARS) return order;
  const [kept, rest] = [order.slice(0, MOST_BARS - 1), order.slice(MOST_BARS - 1)];
  return [...kept, { name: `${others} (${rest.length})`, value: rest.reduce((sum, { value }) => sum + value, 0) }];
}
