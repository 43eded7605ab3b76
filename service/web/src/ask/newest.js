/** Newest wins: of many questions in a row only the running one and the newest are sent. */

const ABORT_AFTER = 400; // ms that a running question may still take once a newer one waits

/**
 * @param {(question: any, signal: AbortSignal) => Promise<any>} ask
 * @param {(answer: any) => void} show
 * @param {(error: Error) => void} fail
 * @returns {(question: any) => void} asks in place of whatever waits
 */
export function newestWins(ask, show, fail) {
  let running = null;
  let waiting = null;

  async function next() {
    const { question } = waiting;
    waiting = null;
    running = new AbortController();
    try {
      show(await ask(question, running.signal));
    } catch (error) {
      if (error.name !== "AbortError") fail(error);
    }
    running = null;
    if (waiting) next();
  }

  return (question) => {
    const first = waiting === null;
    waiting = { question };
    if (!running) {
      next();
    } else if (first) {
      const slow = running;
      setTimeout(() => slow === running && waiting && slow.abort(), ABORT_AFTER);
    }
  };
}
