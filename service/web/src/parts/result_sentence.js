/** The result of an evaluation, read out in sentences: which model is best, and whether a reference learner is better. */

import { nameOfDistribution } from "./distributions.js";
import { shown } from "./numbers.js";

/**
 * @param {{distribution: string, learner: string, loss: {mean: number} | null}[]} scores so far
 * @param {Set<string>} models the learners that are examined; the others are references
 * @param {string} chosen a distribution
 * @returns {string}
 */
export function resultOf(scores, models, chosen) {
  const rounds = Map.groupBy(scores.filter(measured), ({ distribution }) => distribution);
  const results = [...rounds.values()].map((here) => winnersOf(here, models)).filter(({ model }) => model);
  const here = rounds.has(chosen) ? winnersOf(rounds.get(chosen), models) : {};
  return [...(results.length ? [overall(results)] : []), ...(here.model ? [sentenceOn(chosen, here)] : [])].join(" ");
}

const measured = ({ loss }) => Number.isFinite(loss?.mean ?? null);

function winnersOf(scores, models) {
  const best = (found) => found.reduce((a, b) => (b.loss.mean < a.loss.mean ? b : a), found[0]);
  return {
    model: best(scores.filter(({ learner }) => models.has(learner))),
    reference: best(scores.filter(({ learner }) => !models.has(learner))),
  };
}

const loses = ({ model, reference }) => reference && reference.loss.mean < model.loss.mean;

function overall(results) {
  const counts = [...Map.groupBy(results, ({ model }) => model.learner)].map(([name, found]) => [name, found.length]);
  const [[name, count], ...others] = counts.sort(([, a], [, b]) => b - a);
  const rest = others.map(([other, times]) => `${other} on ${times}`).join(", ");
  const worse = results.filter(loses).length;
  return (
    `The best model is ${name} on ${count} of ${results.length} ${results.length === 1 ? "distribution" : "distributions"}` +
    `${rest && `, ${rest}`}; a reference learner is better on ${worse || "none"}.`
  );
}

function sentenceOn(distribution, { model, reference }) {
  const words = `On ${nameOfDistribution(distribution)}, ${model.learner} has a loss of ${shown(model.loss.mean)}`;
  if (!reference) return `${words}.`;
  return `${words}, and the best reference learner, ${reference.learner}, ${shown(reference.loss.mean)}.`;
}
