/** What a model is shown of x: x itself, or functions of it, so that a model linear in x can bend. */

import { RANGE as CURVE_RANGE } from "./curves.js";
import { RANGE as CLASS_RANGE } from "./classes.js";
import { inPython } from "../ask/written.js";
import { rounded } from "./random.js";

const DIGITS = 4;
const bump = (distance, width) => Math.exp(-((distance / width) ** 2) / 2);
const spaced = (count, range) => Array.from({ length: count }, (_, i) => range * ((2 * i) / (count - 1) - 1));

const CURVE_CENTRES = spaced(9, CURVE_RANGE);
const ONE_SIDE = spaced(4, CLASS_RANGE.y * 0.8).map((centre) => rounded(centre));
const CLASS_CENTRES = ONE_SIDE.flatMap((a) => ONE_SIDE.map((b) => [a, b]));

/** `code` is the same function as source text; x itself needs none. */
const exact = (words, row, code) => ({ words, row: (...x) => row(...x).map((value) => rounded(value, DIGITS)), code });

const codeOf = ([python, javascript], names, imported = "") => ({
  python: `${imported && `from math import ${imported}\n\n`}
def features(${names}):
    return [round(value, ${DIGITS}) for value in ${python}]`.trimStart(),
  javascript: `const features = (${names}) => ${javascript}.map((value) => Number(value.toFixed(${DIGITS})));`,
});

const POWERS = [`[(x / ${CURVE_RANGE}) ** power for power in range(4)]`, `[0, 1, 2, 3].map((power) => (x / ${CURVE_RANGE}) ** power)`];
const CURVE_BUMPS = [
  `[exp(-(((x - centre) / 1.25) ** 2) / 2) for centre in ${inPython(CURVE_CENTRES)}]`,
  `${JSON.stringify(CURVE_CENTRES)}.map((centre) => Math.exp(-(((x - centre) / 1.25) ** 2) / 2))`,
];
const SQUARES = ["[1, a, b, a * a, a * b, b * b]", "[1, a, b, a * a, a * b, b * b]"];
const CLASS_BUMPS = [
  `[exp(-((hypot(a - p, b - q) / 1.1) ** 2) / 2) for p in ${inPython(ONE_SIDE)} for q in ${inPython(ONE_SIDE)}]`,
  `${JSON.stringify(ONE_SIDE)}.flatMap((p) => ${JSON.stringify(ONE_SIDE)}.map((q) => Math.exp(-((Math.hypot(a - p, b - q) / 1.1) ** 2) / 2)))`,
];

/** Of one number; `names` has one for each column. */
export const CURVE_FEATURES = {
  plain: { ...exact("x itself", (x) => [x]), names: ["x"] },
  powers: {
    ...exact("1, t, t², t³ with t = x/5", (x) => [0, 1, 2, 3].map((power) => (x / CURVE_RANGE) ** power), codeOf(POWERS, "x")),
    names: ["1", "t", "t²", "t³"],
  },
  bumps: {
    ...exact("nine bumps along x", (x) => CURVE_CENTRES.map((centre) => bump(x - centre, 1.25)), codeOf(CURVE_BUMPS, "x", "exp")),
    names: CURVE_CENTRES.map((centre) => `bump at ${centre}`.replace("-", "−")),
  },
};

/** Of two numbers. */
export const CLASS_FEATURES = {
  plain: exact("x₁ and x₂", (a, b) => [a, b]),
  squares: exact("1, x₁, x₂ and their products", (a, b) => [1, a, b, a * a, a * b, b * b], codeOf(SQUARES, "a, b")),
  bumps: exact("sixteen bumps", (a, b) => CLASS_CENTRES.map(([p, q]) => bump(Math.hypot(a - p, b - q), 1.1)), codeOf(CLASS_BUMPS, "a, b", "exp, hypot")),
};
