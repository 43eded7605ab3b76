/**
 * An example table, drawn from a seed: houses that cost more a square metre near the centre, and more when they are new
 * or very old.
 */

import { randomFrom, rounded } from "./random.js";

const STREETS = ["Ash Lane", "Mill Road", "Quay", "Hill Street"];

/** @returns {string} CSV with a header */
export function houses(seed = 1, rows = 150) {
  const random = randomFrom(seed);
  const lines = Array.from({ length: rows }, () => {
    const area = rounded(random.uniform(35, 180), 0);
    const rooms = Math.max(1, Math.round(area / 28 + random.normal() * 0.8));
    const age = rounded(random.uniform(0, 90), 0);
    const distance = rounded(random.uniform(0.3, 18), 1);
    const garden = random.uniform() < 0.4 ? 1 : 0;
    const squareMetre = 1.6 + 2.2 * Math.exp(-distance / 5);
    const ageing = 0.045 * (age - 55) ** 2;
    const price = 30 + squareMetre * area + 9 * rooms + ageing + 35 * garden + 22 * random.normal();
    const street = STREETS[Math.floor(random.uniform(0, STREETS.length))];
    return [street, area, rooms, age, distance, garden, rounded(price, 1)].join(",");
  });
  return ["street,area,rooms,age,distance,garden,price", ...lines, ""].join("\n");
}
