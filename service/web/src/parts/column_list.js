/** The columns of a table: the use of each, its missing cells and examples, and a select that changes its kind. */

import { offer } from "./choices.js";

const KINDS = {
  number: "number",
  yes_no: "yes or no",
  category: "category",
  time: "time",
  left_out: "leave out",
};

const TARGETS = [
  ["number", "number"],
  ["category", "classes"],
];

export class ColumnList {
  /** @param {HTMLElement} host a list; @param {(column: string, kind: string) => void} change */
  constructor(host, change) {
    [this.host, this.change] = [host, change];
    this.items = new Map();
  }

  /**
   * Show columns; an item that is there already stays, so that its select keeps the focus.
   *
   * @param {{name: string, isTarget: boolean, kind: string, description: string, missing: number, examples: string[]}[]} columns
   */
  show(columns) {
    const names = columns.map(({ name }) => name);
    if (names.join("\n") !== [...this.items.keys()].join("\n")) {
      this.items = new Map(names.map((name, i) => [name, this.#item(name, i)]));
      this.host.replaceChildren(...Array.from(this.items.values(), ({ item }) => item));
    }
    for (const column of columns) this.#fill(this.items.get(column.name), column);
  }

  #item(name, i) {
    const item = document.createElement("li");
    const [head, label, select, about, cells] = ["div", "label", "select", "p", "p"].map((tag) =>
      document.createElement(tag),
    );
    Object.assign(label, { textContent: name, htmlFor: `kind-${i}` });
    Object.assign(select, { id: `kind-${i}`, name: "kind" });
    Object.assign(cells, { className: "cells" });
    head.append(label, select);
    item.append(head, about, cells);
    select.addEventListener("change", () => this.change(name, select.value));
    return { item, select, about, cells };
  }

  #fill({ item, select, about, cells }, { isTarget, kind, description, missing, examples }) {
    const choices = isTarget ? TARGETS : Object.entries(KINDS);
    if (select.options.length !== choices.length) offer(select, choices, kind);
    select.value = kind;
    item.className = isTarget ? "target" : kind;
    about.textContent = description;
    const gaps = missing ? `${missing} empty. ` : "";
    cells.textContent = `${gaps}${examples.length ? `Such as ${examples.join(" · ")}` : ""}`;
  }
}
