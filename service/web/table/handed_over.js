/** The table that one view hands over to another. */

let handed = null;
const waiting = [];

/** @param {{name: string, target: string, features: string[], x: number[][], y: number[]}} table */
export function handOver(table) {
  handed = table;
  for (const take of waiting) take(table);
}

/** Be given the table that was handed over, and each that will be. */
export function onHandedOver(take) {
  waiting.push(take);
  if (handed) take(handed);
}
