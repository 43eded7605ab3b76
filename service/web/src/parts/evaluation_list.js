/** The caller's evaluations, newest first: one to show, and one to lay over it. */

import { offer } from "./choices.js";

const NONE = ["", "nothing"];

export class EvaluationList {
  /** @param {(name: string) => HTMLElement} part; @param {(chosen: object) => void} choose */
  constructor(part, choose) {
    [this.host, this.shown, this.compared] = ["list", "shown", "compared"].map(part);
    this.shown.addEventListener("change", () => choose({ shown: this.shown.value }));
    this.compared.addEventListener("change", () => choose({ compared: this.compared.value || null }));
  }

  show(records, shown, compared) {
    this.records = records;
    this.host.hidden = records.length === 0;
    const choices = records.map((record) => [record.id, wordsOf(record)]);
    offer(this.shown, choices, shown);
    offer(this.compared, [NONE, ...choices.filter(([id]) => id !== shown)], compared ?? "");
  }

  /** One of them has gone on. */
  update(record) {
    const changed = this.records.map((one) => (one.id === record.id ? record : one));
    this.show(changed, this.shown.value, this.compared.value);
  }
}

function wordsOf({ created, suite, models, seed, sizes, status }) {
  const time = new Date(created).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
  const names = models.map(({ name }) => name).join(", ");
  const words = [time, suite, `seed ${seed}, ${sizes.tasks} tasks`, names];
  return [...words, ...(status === "done" ? [] : [status])].join(" · ");
}
