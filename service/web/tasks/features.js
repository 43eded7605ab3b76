/** What a model is shown of x: x itself, or functions of it, so that a model linear in x can bend. */

import { RANGE as CURVE_RANGE } from "./curves.js";
import { RANGE as CLASS_RANGE } from "./classes.js";
import { rounded } from "./random.js";

const DIGITS = 4;
const bump = (distance, width) => Math.exp(-((distance / width) ** 2) / 2);
const spaced = (count, range) => Array.from({ length: count }, (_, i) => range * ((2 * i) / (count - 1) - 1));

const CURVE_CENTRES = spaced(9, CURVE_RANGE);
const CLASS_CENTRES = spaced(4, CLASS_RANGE.y * 0.8).flatMap((a) => spaced(4, CLASS_RANGE.y * 0.8).map((b) => [a, b]));

const exact = (words, row) => ({ words, row: (...x) => row(...x).map((value) => rounded(value, DIGITS)) });

/** Of one number; `names` has one for each column. */
export const CURVE_FEATURES = {
  plain: { ...exact("x itself", (x) => [x]), names: ["x"] },
  powers: {
    ...exact("1, t, t², t³ with t = x/5", (x) => [0, 1, 2, 3].map((power) => (x / CURVE_RANGE) ** power)),
    names: ["1", "t", "t²", "t³"],
  },
  bumps: {
    ...exact("nine bumps along x", (x) => CURVE_CENTRES.map((centre) => bump(x - centre, 1.25))),
    names: CURVE_CENTRES.map((centre) => `bump at ${centre}`.replace("-", "−")),
  },
};

/** Of two numbers. */
export const CLASS_FEATURES = {
  plain: exact("x₁ and x₂", (a, b) => [a, b]),
  squares: exact("1, x₁, x₂ and their products", (a, b) => [1, a, b, a * a, a * b, b * b]),
  bumps: exact("sixteen bumps", (a, b) => CLASS_CENTRES.map(([p, q]) => bump(Math.hypot(a - p, b - q), 1.1))),
};
