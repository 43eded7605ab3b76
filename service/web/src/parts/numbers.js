/** Numbers as people read them. */

const format = (options) => new Intl.NumberFormat("en", options);
const PLAIN = format({ maximumSignificantDigits: 4, useGrouping: "min2" });
const EXTREME = format({ maximumSignificantDigits: 3, notation: "scientific" });
const withDigits = (digits) => format({ minimumFractionDigits: digits, maximumFractionDigits: digits });
const TENTHS = withDigits(1);
const THOUSANDTHS = withDigits(3);

const written = (text) => text.replaceAll("-", "−").replace("E", "e");

/** Four digits that count, with a proper minus; a dash where there is no number. */
export const shown = (value) => {
  if (value === null) return "–";
  const size = Math.abs(value);
  return written((size !== 0 && (size < 1e-3 || size >= 1e12) ? EXTREME : PLAIN).format(value));
};

export const tenths = (value) => written(TENTHS.format(value));

export const thousandths = (value) => written(THOUSANDTHS.format(value));

export const percent = (share) => `${PLAIN.format(Math.round(share * 100))} %`;

/** A `data` element, which keeps the exact number behind the shown one. */
export function fill(element, value, words = shown) {
  element.value = value === null ? "" : String(value);
  element.textContent = words(value);
}
