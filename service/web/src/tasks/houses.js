/**
 * An example table, drawn from a seed: houses with text, dates and gaps, some of them without a price. A square metre
 * costs more in some towns, prices rise with the years, and new and very old houses are dearer.
 */

import { randomFrom, rounded } from "./random.js";

const TOWNS = { Ashford: 3.4, Brookfield: 2.6, Clayton: 2.1, Dunmore: 1.7 };
const REMARKS = ["quiet street with old trees", "near the station", "needs a new roof", "view over the whole valley"];
const DAY = 24 * 3600 * 1000; // ms
const FIRST = Date.UTC(2019, 0, 7);
const WITHOUT_PRICE = 8;

/** @returns {string} CSV with a header; the last rows have no price */
export function houses(seed = 1, rows = 160) {
  const random = randomFrom(seed);
  const one = (values) => values[Math.floor(random.uniform(0, values.length))];
  const lines = Array.from({ length: rows }, (_, i) => {
    const town = one(Object.keys(TOWNS));
    const area = rounded(random.uniform(35, 180), 0);
    const rooms = Math.max(1, Math.round(area / 28 + random.normal() * 0.8));
    const built = rounded(random.uniform(1925, 2020), 0);
    const day = Math.floor(random.uniform(0, 1800));
    const garden = random.uniform() < 0.4;
    const age = 0.05 * (2020 - built - 55) ** 2;
    const value = TOWNS[town] * area + 7 * rooms + age + (garden ? 32 : 0) + 0.03 * day + 12 * random.normal();
    const price = i < rows - WITHOUT_PRICE ? rounded(20 + value, 1) : "";
    const sold = new Date(FIRST + day * DAY).toISOString().slice(0, 10);
    const gap = (cell, share) => (random.uniform() < share ? "" : cell);
    return [town, gap(area, 0.06), rooms, gap(built, 0.12), sold, garden ? "yes" : "no", `${one(REMARKS)} (${i + 1})`, price];
  });
  return [["town", "area", "rooms", "built", "sold", "garden", "remark", "price"], ...lines].join("\n");
}
