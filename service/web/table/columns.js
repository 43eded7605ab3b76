/** Which columns of a table are numbers. */

import { TableError } from "./csv.js";

const MOSTLY = 0.5; // a column with more numbers than this share is meant as numbers: what else it holds is a mistake

/**
 * @param {{header: string[], rows: string[][]}} table
 * @returns {{numeric: {name: string, values: number[]}[], leftOut: string[]}}
 * @throws {TableError} names the first cell that is not a number in a column of numbers
 */
export function columnsOf({ header, rows }) {
  const numeric = [];
  const leftOut = [];
  header.forEach((name, i) => {
    const values = rows.map((cells) => numberIn(cells[i]));
    const wrong = values.findIndex(Number.isNaN);
    if (wrong < 0) numeric.push({ name, values });
    else if (values.filter(Number.isNaN).length < MOSTLY * values.length) refuse(name, rows[wrong][i], wrong + 2);
    else leftOut.push(name);
  });
  if (numeric.length < 2) {
    throw new TableError(`Columns of numbers: ${numeric.length}; needed are a target and at least one feature.`);
  }
  return { numeric, leftOut };
}

/**
 * Finite decimal numbers only, as service/real_numbers.py says of tables of text: no empty cell, no boolean, no
 * hexadecimal, no comma in place of the point.
 */
const numberIn = (cell) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? finite(Number(cell)) : Number.NaN);
const finite = (value) => (Number.isFinite(value) ? value : Number.NaN);

function refuse(name, cell, row) {
  const found = cell === "" ? "is empty" : `“${cell.slice(0, 30)}” is not a number`;
  throw new TableError(`${found}. Fill it in with a number such as 3.5, or leave the row out.`, row, `“${name}”`);
}
