/** The service's routes. Addresses are relative to the page, so that it works behind a path prefix too. */

import { key } from "./key.js";

/** The service refused, in its own words; or it did not answer at all (status 0). */
export class ServiceError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @returns {Promise<{default: string, models: object[]}>} what is served */
export const models = async () => (await send("v1/models")).answer;

/**
 * @param {object} request the body of POST /v1/predict
 * @param {AbortSignal} signal
 * @returns {Promise<{answer: object, latency: {roundTrip: number, compute: number | null}}>} milliseconds
 */
export const predict = (request, signal) =>
  send("v1/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
    signal,
  });

async function send(address, options = {}) {
  const headers = { ...options.headers, ...(key.get() && { Authorization: `Bearer ${key.get()}` }) };
  const start = performance.now();
  const response = await fetch(address, { ...options, headers }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(0, "The service does not answer. See whether it is still running, then try again.");
  });
  const answer = await response.json().catch(() => null);
  const roundTrip = performance.now() - start;
  if (!response.ok || answer === null) {
    throw new ServiceError(
      response.status,
      answer?.error ?? `The service answered ${response.status}, without a reason.`,
    );
  }
  return { answer, latency: { roundTrip, compute: computeTime(response.headers.get("Server-Timing")) } };
}

/** The longest of a Server-Timing header's durations, or null where there is none. */
function computeTime(header) {
  const durations = [...(header ?? "").matchAll(/dur=([\d.]+)/g)].map(([, duration]) => Number(duration));
  return durations.length ? Math.max(...durations) : null;
}
