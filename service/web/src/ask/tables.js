/** The service's routes of tables: the bytes of a file are the body, and everything else is in the query. */

import { send, ServiceError } from "./api.js";

export const TYPE = "application/octet-stream"; // the service recognises the format by the bytes

/**
 * The query of a request.
 *
 * @param {{target?: string, kinds?: {[column: string]: string}, model?: string, interval?: number}} options and
 *   further fields; those that are undefined are left out
 */
export function queryOf({ kinds = {}, ...fields }) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const pairs = [...given, ...Object.entries(kinds).map(([name, kind]) => ["kind", `${name}:${kind}`])];
  return pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

/** @returns {Promise<{answer: {columns: object[], rows: number, read?: string[]}}>} what will be done to each column */
export const inspect = (file, options, signal) => post("v1/inspect", file, options, signal);

/** @returns {Promise<{answer: object, latency: object}>} the rows without a target, predicted */
export const predictRows = (file, options, signal) => post("v1/predict", file, options, signal);

/** @returns {Promise<{answer: object}>} how good the model is, in comparison with others */
export const assess = (file, options, signal) => post("v1/assess", file, options, signal);

/** Errors name the file as the visitor knows it. */
async function post(route, file, options, signal) {
  const query = queryOf(options);
  const request = { method: "POST", headers: { "Content-Type": TYPE }, body: file, signal };
  try {
    return await send(`${route}${query && `?${query}`}`, request);
  } catch (error) {
    if (error instanceof ServiceError) error.message = error.message.replaceAll(/\bthe body(?=[:,])/g, file.name);
    throw error;
  }
}
