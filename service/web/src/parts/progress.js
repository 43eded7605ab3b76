/** How far an evaluation is, and a button that stops it. */

import { tenths } from "./numbers.js";

export class Progress {
  /** @param {(name: string) => HTMLElement} part; @param {() => Promise<void>} cancel */
  constructor(part, cancel) {
    [this.host, this.bar, this.words, this.button] = ["progress", "bar", "progress-words", "cancel"].map(part);
    this.button.addEventListener("click", async () => {
      this.button.disabled = true;
      await cancel();
      this.button.disabled = false;
    });
  }

  /** @param {object} record of an evaluation */
  show(record) {
    this.host.hidden = false;
    this.bar.max = record.total;
    this.bar.value = record.done;
    this.words.textContent = wordsOf(record);
    this.button.hidden = record.finished !== null;
  }
}

function wordsOf({ status, done, total, created, finished }) {
  const count = `${done} of ${total} results`;
  const seconds = () => tenths((new Date(finished) - new Date(created)) / 1000);
  const words = {
    queued: "It waits for its turn.",
    running: count,
    done: `Done: ${total} results in ${seconds()} s`,
    cancelled: `Cancelled after ${count}`,
    failed: `Failed after ${count}`,
  };
  return words[status];
}
