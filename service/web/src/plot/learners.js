/** How learners look, the same in curves, table and legend: models in colours, references in grey, each its mark. */

/** Of Chart.js, and the same as text. */
const MARKS = Object.entries({
  circle: "●",
  triangle: "▲",
  rect: "■",
  rectRot: "◆",
  crossRot: "✕",
  cross: "✚",
  star: "✳",
});
const COLOURS = 4; // of the style sheet's classes

/**
 * @param {string[]} learners
 * @param {Set<string>} models those of them that are examined; the others are references
 * @returns {Map<string, {isModel: boolean, colour: number, style: string, sign: string}>}
 */
export function looksOf(learners, models) {
  const counts = { true: 0, false: 0 };
  const look = (isModel) => {
    const i = counts[isModel]++;
    const [style, sign] = MARKS[(isModel ? Math.floor(i / COLOURS) : i) % MARKS.length];
    return { isModel, colour: i % COLOURS, style, sign };
  };
  return new Map(learners.map((name) => [name, look(models.has(name))]));
}

/** A learner's mark and name, in its colour. */
export function labelOf(name, { isModel, colour, sign }) {
  const label = document.createElement("span");
  const mark = Object.assign(document.createElement("span"), { textContent: sign, ariaHidden: "true" });
  mark.className = isModel ? `mark class-${colour}` : "mark";
  label.append(mark, ` ${name}`);
  return label;
}
