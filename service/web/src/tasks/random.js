/** Random numbers from a seed: the same seed draws the same task on every machine. */

/** @returns {{uniform: (low?: number, high?: number) => number, normal: () => number}} */
export function randomFrom(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;

  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  return {
    uniform: (low = 0, high = 1) => low + (high - low) * next(),
    // Box and Muller; 1 − next() is never 0
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
}

/** Shuffle a copy (Fisher and Yates). */
export function shuffled(entries, random) {
  const order = [...entries];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random.uniform(0, i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Three digits after the point: what the page sends is what it shows in its calls. */
export const rounded = (value, digits = 3) => Number(value.toFixed(digits));
