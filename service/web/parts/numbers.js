/** Numbers as people read them. */

/** Four digits that count, with a proper minus; a dash where there is no number. */
export const shown = (value) => {
  if (value === null) return "–";
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−");
};

/** A `data` element, which keeps the exact number behind the shown one. */
export function fill(element, value) {
  element.value = value === null ? "" : String(value);
  element.textContent = shown(value);
}
