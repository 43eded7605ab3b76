/** The service's routes. Addresses are relative to the page, so that it works behind a path prefix too. */

import { key } from "./key.js";

/** The service refused, in its own words; or it did not answer at all (status 0). */
export class ServiceError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Whether it may be well in a moment. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** @returns {Promise<{default: string, models: object[]}>} the served models */
export const models = async () => (await send("v1/models")).answer;

/**
 * @param {object} request the body of POST /v1/predict
 * @param {AbortSignal} signal
 * @returns {Promise<{answer: object, latency: {roundTrip: number, compute: number | null}}>} milliseconds
 */
export const predict = (request, signal) => post("v1/predict", request, signal);

export const post = (address, body, signal) =>
  send(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });

/** @returns {Promise<{answer: object, latency: {roundTrip: number, compute: number | null}}>} milliseconds */
export async function send(address, options = {}) {
  const start = performance.now();
  const response = await open(address, options);
  const answer = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(response.status, `The service answered ${response.status}, and not in JSON.`);
  });
  const roundTrip = performance.now() - start;
  return { answer, latency: { roundTrip, compute: computeTime(response.headers.get("Server-Timing")) } };
}

/**
 * @returns {Promise<Response>} an answer whose body is still to be read
 * @throws {ServiceError} the service refused, or did not answer
 */
export async function open(address, options = {}) {
  const headers = { ...options.headers, ...(key.get() && { Authorization: `Bearer ${key.get()}` }) };
  const response = await fetch(address, { ...options, headers }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(0, "The service does not answer. See whether it is still running, then try again.");
  });
  if (response.ok) return response;
  const reason = await response.json().catch(() => null);
  const message = reason?.error ?? `The service answered ${response.status}, without a reason.`;
  throw new ServiceError(response.status, message);
}

/** The longest of a Server-Timing header's durations, or null where there is none. */
function computeTime(header) {
  const durations = [...(header ?? "").matchAll(/dur=([\d.]+)/g)].map(([, duration]) => Number(duration));
  return durations.length ? Math.max(...durations) : null;
}
