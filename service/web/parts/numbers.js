/** Numbers as people read them. */

const MILLIONS = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });

/** Four digits that count, with a proper minus; a dash where there is no number. */
export const shown = (value) => {
  if (value === null) return "–";
  const size = Math.abs(value);
  const extreme = size !== 0 && (size < 1e-3 || size >= 1e12);
  const plain = () => (size >= 1e6 ? MILLIONS.format(value) : String(Number(value.toPrecision(4))));
  const text = extreme ? value.toExponential(2) : plain();
  return text.replaceAll("-", "−");
};

/** A `data` element, which keeps the exact number behind the shown one. */
export function fill(element, value) {
  element.value = value === null ? "" : String(value);
  element.textContent = shown(value);
}
