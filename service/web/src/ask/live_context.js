/** A context on the server: rows are learnt into it and taken out of it, in one request each. */

import { post } from "./api.js";

const LEVEL = 0.9;
const TTL = 3600; // seconds

export class LiveContext {
  /** @param {string} model; @param {object} scale of its features; @param {{x: number, y: number}[]} rows the first ones */
  static async create(model, scale, rows) {
    const observations = { x: rows.map(({ x }) => [x]), y: rows.map(({ y }) => y) };
    const { answer } = await post("v1/contexts", { model, scale, ttl: TTL, observations });
    return new LiveContext(`v1/contexts/${answer.id}`);
  }

  constructor(address) {
    this.address = address;
  }

  /** @param {number} weight 1 learns a row, −1 takes it out. @returns {Promise<object>} latency */
  async change({ x, y }, weight) {
    const body = { x: [[x]], y: [y], weight: [weight] };
    return (await post(`${this.address}/observations`, body)).latency;
  }

  /** @param {number[]} query. @returns {Promise<{prediction: number[], lower: number[], upper: number[], latency: object}>} */
  async predict(query) {
    const body = { query: query.map((x) => [x]), interval: LEVEL };
    const { answer, latency } = await post(`${this.address}/predictions`, body);
    return { prediction: answer.prediction, ...answer.interval, latency };
  }
}
