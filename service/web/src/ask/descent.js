/**
 * Gradient steps one at a time, by asking gd-1 again and again.
 *
 * One step from W_k is one step from zero on the residuals, y − f_k(x): the gradient of a squared loss only knows
 * the residuals. So f_{k+1} = f_k + gd-1(x, y − f_k(x)), with a given learning_rate as with line search, and after
 * eight steps it is gd-8.
 */

import { predict } from "./api.js";

export const ONE_STEP = "gd-1";

export class Descent {
  /** @param {object} request the body of a prediction; its model is left aside. */
  constructor(request) {
    this.source = JSON.stringify(request);
    this.request = { ...request, model: ONE_STEP, query: [...request.context.x, ...request.query] };
    this.fitted = new Array(this.request.query.length).fill(0);
    this.curves = [];
    this.latency = null;
    this.last = null; // the latest step's request
  }

  /** How many steps have been taken. */
  get steps() {
    return this.curves.length;
  }

  /** Whether these are the steps of a request. */
  isOf(request) {
    return this.source === JSON.stringify(request);
  }

  /** Take one step more; `curves` then holds the predictions for the queries after each step. */
  async step(signal) {
    const request = this.#next();
    const { answer, latency } = await predict(request, signal);
    this.fitted = this.fitted.map((value, i) => value + answer.prediction[i]);
    this.curves.push(this.fitted.slice(this.request.context.x.length));
    [this.latency, this.last] = [latency, request];
  }

  #next() {
    const { x, y } = this.request.context;
    return { ...this.request, context: { x, y: y.map((value, i) => value - this.fitted[i]) } };
  }
}
