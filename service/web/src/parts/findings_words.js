/** Cells of a table that are not as its schema has them, in sentences. */

const SENTENCES = {
  unreadable: ({ column, cells, example, place }) =>
    `${count(cells, "cell")} of “${column}” cannot be read, such as “${example}” (${place}), and count as empty.`,
  new_level: ({ column, cells, example, place }) =>
    `${count(cells, "cell")} of “${column}” has a value that no known row has, such as “${example}” (${place}).`,
  target: ({ column, cells, example, place }) =>
    `${count(cells, "row")} with a “${column}” that cannot be read, such as “${example}” (${place}), was not used.`,
};

/** @param {{column: string, what: string, cells: number, example: string, place: string}[]} findings */
export const findingsIn = (findings) => findings.map((one) => SENTENCES[one.what]?.(one) ?? `${one.column}: ${one.what}.`);

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
