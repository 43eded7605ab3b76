/** CSV text to rows of cells: quoted fields, CRLF, commas or semicolons or tabs. */

/** Something wrong with a table, and where; row 1 is the header, as in an editor. */
export class TableError extends Error {
  constructor(message, row, column) {
    super([row && `Row ${row}`, column && `column ${column}`].filter(Boolean).join(", ") + (row ? ": " : "") + message);
  }
}

/**
 * @returns {{header: string[], rows: string[][]}} all rows as wide as the header; blank lines are left out
 * @throws {TableError}
 */
export function parseCsv(text) {
  const source = text.replace(/^\uFEFF/, "");
  const records = recordsOf(source, separatorOf(source)).filter(({ cells }) => cells.length > 1 || cells[0] !== "");
  if (records.length < 3) {
    throw new TableError("The file needs a header and at least two rows of numbers below it.");
  }
  const [{ cells: header }, ...rows] = records;
  checkHeader(header);
  for (const { cells, row } of rows) {
    if (cells.length !== header.length) {
      throw new TableError(`has ${cells.length} cells; the header has ${header.length}. Give each row as many.`, row);
    }
  }
  return { header, rows: rows.map(({ cells }) => cells) };
}

function checkHeader(header) {
  header.forEach((name, i) => {
    if (name === "") throw new TableError("has no name. Name every column in the header.", 1, String(i + 1));
    if (header.indexOf(name) !== i) throw new TableError(`stands in the header twice. Rename one.`, 1, `“${name}”`);
  });
}

/** The separator is what the header has most of. */
function separatorOf(source) {
  const header = source.split(/\r?\n/, 1)[0];
  const count = (separator) => header.split(separator).length;
  return [",", ";", "\t"].reduce((best, separator) => (count(separator) > count(best) ? separator : best));
}

/** One pass over the characters; a quoted field may hold separators, line ends and doubled quotes. */
function recordsOf(source, separator) {
  const records = [];
  let [cells, cell, quoted, line, start] = [[], "", false, 1, 1];
  const endCell = () => {
    cells.push(cell.trim());
    cell = "";
  };
  const endRecord = () => {
    endCell();
    records.push({ cells, row: start });
    cells = [];
    start = line;
  };
  for (let i = 0; i < source.length; i += 1) {
    const character = source[i];
    if (character === "\n") line += 1;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (source[i + 1] === '"') cell += source[(i += 1)];
      else quoted = false;
    } else if (character === '"' && cell.trim() === "") [quoted, cell] = [true, ""];
    else if (character === separator) endCell();
    else if (character === "\n") endRecord();
    else cell += character;
  }
  if (quoted) throw new TableError("A quote is opened and never closed.", start, String(cells.length + 1));
  if (cell !== "" || cells.length) endRecord();
  return records;
}
