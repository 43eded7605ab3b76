/** Server-sent events with a key: a browser's EventSource cannot send one, so the stream is read here. */

import { open, ServiceError } from "./api.js";

const RETRY_DELAYS = [200, 1000, 3000]; // ms before each connection that follows one without an event

/**
 * Yield every event until `end`. A stream that ends before is continued after its last event.
 *
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{event: string, id: string | null, data: any}>} data is read as JSON
 */
export async function* eventsOf(address, signal) {
  let last = null;
  let tried = 0;
  for (;;) {
    let failure = new ServiceError(0, "The service sends no more events. See whether it is still running.");
    try {
      const { body } = await open(address, { headers: last && { "Last-Event-ID": last }, signal });
      for await (const event of read(body)) {
        tried = 0;
        last = event.id ?? last;
        yield event;
        if (event.event === "end") return;
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

/** Read events as they come; a blank line ends each, and one that is cut off is dropped. */
async function* read(body) {
  let event = {};
  for await (const line of linesOf(body)) {
    if (line === "") {
      if ("data" in event) yield { id: null, event: "message", ...event, data: JSON.parse(event.data) };
      event = {};
      continue;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    event[field] = field === "data" && "data" in event ? `${event.data}\n${value}` : value;
  }
}

async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split(/\r\n|\n|\r(?!$)/); // a \r at the very end may be half of \r\n
      rest = lines.pop();
      yield* lines;
    }
  } finally {
    reader.cancel().catch(() => {}); // it may have broken off already
  }
}
