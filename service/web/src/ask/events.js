/** Server-sent events with a key: a browser's EventSource cannot send one, so the stream is read here. */

import { EventSourceParserStream } from "eventsource-parser/stream";
import { open, ServiceError } from "./api.js";

const RETRY_DELAYS = [200, 1000, 3000]; // ms before each connection that follows one without an event

/**
 * Yield every event until `end`. A stream that ends before is continued after its last event.
 *
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{event: string, data: any}>} data is read as JSON
 */
export async function* eventsOf(address, signal) {
  let last = null;
  let tried = 0;
  for (;;) {
    let failure = new ServiceError(0, "The service sends no more events. See whether it is still running.");
    try {
      const { body } = await open(address, { headers: last && { "Last-Event-ID": last }, signal });
      for await (const { id, event, data } of eventsIn(body)) {
        tried = 0;
        last = id ?? last;
        yield { event, data: JSON.parse(data) };
        if (event === "end") return;
      }
    } catch (error) {
      if (signal.aborted) throw new DOMException("A newer question was asked.", "AbortError");
      if (error instanceof ServiceError && !error.passes) throw error;
      failure = error instanceof ServiceError ? error : failure;
    }
    if (tried === RETRY_DELAYS.length) throw failure;
    await new Promise((resolve) => setTimeout(resolve, RETRY_DELAYS[tried]));
    tried += 1;
  }
}

/** The events of a body; one that is cut off is dropped. Safari has no asynchronous iterator of streams. */
async function* eventsIn(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    reader.cancel().catch(() => {}); // it may have broken off already
  }
}
