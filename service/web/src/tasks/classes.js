/** Two-dimensional tasks: points of two to four classes. */

import { randomFrom } from "./random.js";

export const RANGE = { x: 4, y: 3 };
export const MOST_POINTS = 120;

const turned = (angle, [a, b]) => [
  Math.cos(angle) * a - Math.sin(angle) * b,
  Math.sin(angle) * a + Math.cos(angle) * b,
];

/** Each places a point of class k of K; `turn` is the same for the whole task. */
export const SHAPES = {
  moons: {
    words: "Moons",
    place(random, k, K) {
      const angle = random.uniform(0, Math.PI);
      const moon = [1.35 * Math.cos(angle) + 0.65, 1.35 * Math.sin(angle) - 0.35];
      return turned((2 * Math.PI * k) / K, moon);
    },
  },
  blobs: {
    words: "Blobs",
    place(random, k, K, turn) {
      const angle = turn + (2 * Math.PI * k) / K;
      return [1.5 * Math.cos(angle) + 0.35 * random.normal(), 1.5 * Math.sin(angle) + 0.35 * random.normal()];
    },
  },
  rings: {
    words: "Rings",
    place(random, k, K) {
      const [angle, radius] = [random.uniform(0, 2 * Math.PI), 0.4 + (2.1 * k) / (K - 1)];
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    },
  },
  stripes: {
    words: "Stripes",
    place(random, k, K, turn) {
      const along = random.uniform(-2.2, 2.2);
      return turned(turn, [along, 2 - (4 * (k + random.uniform(0.2, 0.8))) / K]);
    },
  },
};

/** Draw MOST_POINTS points of the classes in turn; `grain` is the noise that one unit of noise adds to each. */
export function drawClasses(kind, seed, K) {
  const random = randomFrom(seed);
  const turn = random.uniform(0, 2 * Math.PI);
  return Array.from({ length: MOST_POINTS }, (_, i) => {
    const [x, y] = SHAPES[kind].place(random, i % K, K, turn);
    return { x, y, label: i % K, grain: [random.normal(), random.normal()] };
  });
}
