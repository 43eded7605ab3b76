/** Says the latest result to a screen reader, once things have come to rest. */

const REST = 700; // ms

let timer = null;

export function announce(words) {
  clearTimeout(timer);
  timer = setTimeout(() => (document.querySelector("#announcer").textContent = words), REST);
}
