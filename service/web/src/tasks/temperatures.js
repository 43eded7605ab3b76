/** Readings of a thermometer on one day, drawn from a seed; one of them lost its decimal point. */

import { randomFrom, rounded } from "./random.js";

export const HOURS = { min: 0, max: 24 };
export const DEGREES = { min: 0, max: 30 };

/** Location and spread of the hours, which a context is created with. */
export const SCALE = { center: [12], spread: [7] };

const COUNT = 30;
const MISTAKE = 14; // its place among the readings

const temperature = (hour) => 14 + 7 * Math.sin(((hour - 9) / 24) * 2 * Math.PI);

/** @returns {{x: number, y: number, meant?: number}[]} hour and degrees Celsius; the mistake has the degrees it should have */
export function readings(seed) {
  const random = randomFrom(seed);
  const drawn = Array.from({ length: COUNT }, () => {
    const x = rounded(random.uniform(0.5, 23.5), 1);
    return { x, y: rounded(temperature(x) + 0.7 * random.normal(), 1) };
  });
  const x = rounded(random.uniform(13, 17), 1);
  const meant = rounded(temperature(x), 1);
  return drawn.toSpliced(MISTAKE, 0, { x, y: rounded(meant / 10, 1), meant });
}

/** An hour as a clock shows it. */
export function clock(hour) {
  const minutes = Math.round(hour * 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
}
