/** One-dimensional tasks: a function drawn at random, seen at random places of −5…5. */

import { randomFrom } from "./random.js";

export const RANGE = 5;
export const MOST_POINTS = 60;

/** Each draws a function of x; `at` is how far through the observations it is, 0…1, for what drifts. */
export const CURVES = {
  sine: {
    words: "A sine wave",
    draw(random) {
      const [height, phase] = [random.uniform(0.8, 2), random.uniform(0, 2 * Math.PI)];
      return (x) => height * Math.sin(x + phase);
    },
  },
  line: {
    words: "A line through 0",
    draw(random) {
      const slope = random.normal() * 0.6;
      return (x) => slope * x;
    },
  },
  noisy: {
    words: "A noisy line with an offset",
    draw(random) {
      const [slope, offset] = [random.uniform(0.2, 0.8) * Math.sign(random.normal()), random.normal()];
      return (x) => slope * x + offset;
    },
  },
  staircase: {
    words: "A staircase",
    draw(random) {
      const levels = Array.from({ length: 5 }, () => random.normal());
      return (x) => levels[Math.min(4, Math.max(0, Math.floor((x + RANGE) / 2)))];
    },
  },
  network: {
    words: "A random neural network",
    draw(random) {
      const units = Array.from({ length: 12 }, () => [random.normal(), random.normal() * 1.2, random.normal() * 2]);
      return (x) => units.reduce((sum, [out, slope, shift]) => sum + 0.5 * out * Math.tanh(slope * x + shift), 0);
    },
  },
  drift: {
    words: "A line that drifts from point to point",
    draw(random) {
      const [first, last] = [random.normal() * 0.6, random.normal() * 0.6];
      return (x, at = 1) => (first + (last - first) * at) * x;
    },
  },
};

/**
 * Draw a task.
 *
 * @returns {{truth: (x: number) => number, points: {x: number, y: number, grain: number}[]}} the function, and
 *   MOST_POINTS observations without noise; `grain` is the noise that one unit of noise adds to each.
 */
export function drawCurve(kind, seed, count) {
  const random = randomFrom(seed);
  const truth = CURVES[kind].draw(random);
  const places = Array.from({ length: MOST_POINTS }, () => ({
    x: random.uniform(-RANGE * 0.96, RANGE * 0.96),
    grain: random.normal(),
  }));
  const points = places.map(({ x, grain }, i) => ({ x, y: truth(x, Math.min(1, i / Math.max(1, count - 1))), grain }));
  return { truth, points };
}
