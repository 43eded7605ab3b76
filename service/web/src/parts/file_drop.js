/** Files that are dropped on an element or chosen with the file input inside it, and tables that are pasted. */

const PASTED = "pasted.csv";

/**
 * @param {HTMLElement} drop takes pasted tables while it is visible, wherever they are pasted
 * @param {(file: File) => void} read
 */
export function takeFiles(drop, read) {
  const take = (file) => file && read(file);
  const input = drop.querySelector("input[type=file]");
  const takeChosen = () => {
    take(input.files[0]);
    input.value = ""; // so that the same file can be chosen again after it was corrected
  };
  input.addEventListener("change", takeChosen);
  setTimeout(takeChosen); // a file may be chosen before this script is loaded
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", ({ target, clipboardData }) => {
    if (!drop.checkVisibility() || target.matches?.('[type="password"]')) return;
    const [file, text] = [clipboardData.files[0], clipboardData.getData("text")];
    if (file) take(file);
    else if (text) take(new File([text], PASTED, { type: "text/csv" }));
  });
}
