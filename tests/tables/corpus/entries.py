"""Small files, each with one kind of ugliness that tables have in the wild, and their meaning."""

import gzip
from typing import Any, NamedTuple

Cells = dict[str, list[Any]]


class Entry(NamedTuple):
    """A file."""

    name: str
    data: bytes
    shows: str
    cells: Cells | str
    """By column, None where missing; or the beginning of the message that refuses it."""
    note: str = ""
    """A part of the notes, if there are some."""


AB: Cells = {"a": [1.0, 3.0], "b": [2.0, 4.0]}
ABC: Cells = {"a": [1.0, 4.0], "b": [2.0, 5.0], "c": [3.0, 6.0]}
TEXT: Cells = {"n": [1.0, 2.0], "t": ["x, y", "z"]}
UMLAUT: Cells = {"größe": [1.0, 2.0], "t": ["é", "ß"]}
UMLAUTS = "größe,t\n1,é\n2,ß\n"
UNNAMED = "no header, so the columns are column_1"
QUOTES = 'n,t\n1,"a ""b"" c"\n2,5" pipe\n'


def _text(text: str) -> bytes:
    return text.encode()


ENTRIES = (
    Entry("plain.csv", b"a,b\n1,2\n3,4\n", "nothing ugly", AB),
    Entry("crlf.csv", b"a,b\r\n1,2\r\n3,4\r\n", "line ends of Windows", AB),
    Entry("cr.csv", b"a,b\r1,2\r3,4\r", "line ends of old Macs", AB),
    Entry("no_final_newline.csv", b"a,b\n1,2\n3,4", "the last line has no end", AB),
    Entry("blank_lines.csv", b"\n\na,b\n\n1,2\n\n\n3,4\n\n", "blank lines anywhere", AB),
    Entry("lines_of_spaces.csv", b"a,b\n1,2\n   \n3,4\n", "a line of spaces between rows", AB),
    Entry("mark.csv", b"\xef\xbb\xbfa,b\n1,2\n3,4\n", "the byte order mark of UTF-8", AB),
    Entry("utf8.csv", _text(UMLAUTS), "UTF-8 without a mark", UMLAUT),
    Entry("utf16.csv", UMLAUTS.encode("utf-16"), "UTF-16 as Excel saves `Unicode text`", UMLAUT),
    Entry("utf16be_no_mark.csv", UMLAUTS.encode("utf-16-be"), "UTF-16 without a mark", UMLAUT),
    Entry("utf32.csv", UMLAUTS.encode("utf-32"), "UTF-32", UMLAUT),
    Entry("cp1252.csv", UMLAUTS.encode("cp1252"), "an encoding of Windows", UMLAUT),
    Entry(
        "two_encodings.csv", b"n,t\n1,\xc3\xa9\n2,\xe9\n", "rows of two encodings", {"n": [1.0, 2.0], "t": ["é"] * 2}
    ),
    Entry(
        "semicolon.csv", b"a;b\n1,5;2\n2,5;3\n", "semicolons and decimal commas", {"a": ["1,5", "2,5"], "b": [2.0, 3.0]}
    ),
    Entry(
        "semicolon_no_header.csv",
        b"1,5;2,5\n2,5;3,5\n",
        "the same without header",
        {"column_1": ["1,5", "2,5"], "column_2": ["2,5", "3,5"]},
        UNNAMED,
    ),
    Entry("tab.tsv", b"n\tt\n1\tx, y\n2\tz\n", "tabs", TEXT),
    Entry("pipe.csv", b"n|t\n1|x, y\n2|z\n", "vertical bars", TEXT),
    Entry(
        "bar_in_quotes.csv",
        b'n,t,m\n1,"x|y",2\n3,"z|u",4\n',
        "another separator in quoted cells",
        {"n": [1.0, 3.0], "t": ["x|y", "z|u"], "m": [2.0, 4.0]},
    ),
    Entry("aligned.txt", b"  a   b      c\n  1   2.0    3\n  4   5     6e0\n", "columns aligned by spaces", ABC),
    Entry(
        "aligned_no_header.txt",
        b"1  2\n3  4\n",
        "the same without header",
        {"column_1": [1.0, 3.0], "column_2": [2.0, 4.0]},
        UNNAMED,
    ),
    Entry(
        "aligned_commas.txt",
        b"a b\n1,5 2,5\n3,5 4,5\n",
        "columns aligned by spaces, with decimal commas",
        {"a": ["1,5", "3,5"], "b": ["2,5", "4,5"]},
    ),
    Entry("sep_line.csv", b"sep=;\r\na;b\r\n1;2\r\n3;4\r\n", "the line by which Excel knows the separator", AB),
    Entry("comments.csv", b"# logger 7\n# 2024\na,b\n1,2\n3,4\n", "comments before the header", AB),
    Entry("percent.csv", b"% logger 7\na,b\n1,2\n3,4\n", "comments as in Matlab", AB),
    Entry("commented_header.csv", b"# a,b\n1,2\n3,4\n", "a header that is a comment, as numpy writes it", AB),
    Entry(
        "title.csv", b"Report of 2024\n\na,b,c\n1,2,3\n4,5,6\n", "a title before the header", ABC, "'Report of 2024'"
    ),
    Entry("title_of_excel.csv", b"Report;;\n;;\na;b;c\n1;2;3\n4;5;6\n", "a title as Excel saves it", ABC, "'Report'"),
    Entry("quoted.csv", b'"n","t"\n"1","x, y"\n"2","z"\n', "every cell in quotes", TEXT),
    Entry("doubled_quotes.csv", _text(QUOTES), "quotes in cells", {"n": [1.0, 2.0], "t": ['a "b" c', '5" pipe']}),
    Entry(
        "backslash.csv",
        b'n,t\n1,"a \\"b\\", c"\n2,z\n',
        "quotes after a backslash",
        {"n": [1.0, 2.0], "t": ['a "b", c', "z"]},
    ),
    Entry("single_quotes.csv", b"n,t\n1,'x, y'\n2,'z'\n", "single quotes", TEXT),
    Entry(
        "apostrophes.csv",
        b"n,t\n1,don't\n2,'tis\n",
        "apostrophes that quote nothing",
        {"n": [1.0, 2.0], "t": ["don't", "'tis"]},
    ),
    Entry(
        "newline_in_cell.csv", b'n,t\n1,"x\ny"\n2,z\n', "a line end in a cell", {"n": [1.0, 2.0], "t": ["x\ny", "z"]}
    ),
    Entry("spaces.csv", b'n , t\n 1, "x, y"\n2 ,z \n', "spaces around cells and before quotes", TEXT),
    Entry(
        "no_header.csv",
        b"5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n",
        "no header, with text",
        {"column_1": [5.1, 4.9, 6.3], "column_2": [3.5, 3.0, 3.3], "column_3": ["setosa", "setosa", "virginica"]},
        UNNAMED,
    ),
    Entry(
        "all_text.csv",
        b"city,land\nBonn,DE\nLyon,FR\n",
        "a header above text only",
        {"city": ["Bonn", "Lyon"], "land": ["DE", "FR"]},
    ),
    Entry(
        "years.csv",
        b"country,2019,2020\nDE,1,2\nFR,3,4\n",
        "years as names",
        {"country": ["DE", "FR"], "2019": [1.0, 3.0], "2020": [2.0, 4.0]},
    ),
    Entry(
        "months.csv",
        b"country,2024-01,2024-02\nDE,1,2\nFR,3,4\n",
        "times as names",
        {"country": ["DE", "FR"], "2024-01": [1.0, 3.0], "2024-02": [2.0, 4.0]},
    ),
    Entry(
        "counted.csv",
        b"0,1,2\n1,2,3\n4,5,6\n",
        "names that count, as pandas gives them",
        {"0": [1.0, 4.0], "1": [2.0, 5.0], "2": [3.0, 6.0]},
    ),
    Entry(
        "duplicate_names.csv",
        b"a,b,a\n1,2,3\n4,5,6\n",
        "a name twice",
        {"a": [1.0, 4.0], "b": [2.0, 5.0], "a_2": [3.0, 6.0]},
        "'a_2'",
    ),
    Entry(
        "taken_name.csv",
        b"a,a_2,a\n1,2,3\n4,5,6\n",
        "a name twice, and the next one taken",
        {"a": [1.0, 4.0], "a_2": [2.0, 5.0], "a_3": [3.0, 6.0]},
        "'a_3'",
    ),
    Entry(
        "empty_name.csv",
        b"a,,c\n1,2,3\n4,5,6\n",
        "a column without name",
        {"a": [1.0, 4.0], "column_2": [2.0, 5.0], "c": [3.0, 6.0]},
        "column 2 has no name",
    ),
    Entry(
        "index_of_pandas.csv",
        b",a\n0,3\n1,4\n",
        "the index that pandas writes",
        {"Unnamed: 0": [0.0, 1.0], "a": [3.0, 4.0]},
        "'Unnamed: 0'",
    ),
    Entry(
        "row_names_of_r.csv",
        b'"a","b"\n"r1",1,2\n"r2",3,4\n',
        "row names that R writes without a name",
        {"column_1": ["r1", "r2"], **AB},
        "column 1 has no name",
    ),
    Entry("trailing_separator.csv", b"a,b,\n1,2,\n3,4,\n", "a separator at the end of each line", AB),
    Entry("trailing_in_rows.csv", b"a,b\n1,2,\n3,4,\n", "the same, but not in the header", AB),
    Entry("empty_cells_after.csv", b"a,b\n1,2\n3,4,,\n", "empty cells after a row", AB),
    Entry(
        "short_row.csv",
        b"a,b,c\n1,2,3\n4,5\n",
        "empty cells left out at the end of a row",
        {"a": [1.0, 4.0], "b": [2.0, 5.0], "c": [3.0, None]},
    ),
    Entry(
        "missing.csv",
        b"a,b,c\n1,NA,x\n,?,\n#N/A,2,-\n",
        "many ways to write that a cell is missing",
        {"a": [1.0, None, None], "b": [None, None, 2.0], "c": ["x", None, None]},
    ),
    Entry("codes.csv", b"zip,n\n01067,1\n80331,2\n", "digits after a 0", {"zip": ["01067", "80331"], "n": [1.0, 2.0]}),
    Entry("one_column.csv", b"a\n1\n3\n", "one column", {"a": [1.0, 3.0]}),
    Entry(
        "one_column_of_text.csv",
        b"name\nNew York\nLos Angeles\n",
        "one column of words",
        {"name": ["New York", "Los Angeles"]},
    ),
    Entry("packed.csv.gz", gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0), "gzip", AB),
    Entry("objects.jsonl", b'{"a": 1, "b": 2}\n{"b": 4, "a": 3}\n', "JSON lines, their names in any order", AB),
    Entry("objects.json", b'[{"a": 1, "b": 2},\n {"a": 3, "b": 4}]', "a list of JSON objects", AB),
    Entry(
        "joined.csv",
        b"\xef\xbb\xbfa,b\n1,2\n\xef\xbb\xbfa,b\n3,4\n",
        "two files in one, with the mark and the header of each",
        AB,
        "rows that repeat the header left out",
    ),
    Entry("joined_marks.csv", b"\xef\xbb\xbf\xef\xbb\xbfa,b\n1,2\n\xef\xbb\xbf3,4\n", "byte order marks anywhere", AB),
    Entry("zero_bytes.csv", b"a,b\n1,2\x00\n3,4\n\x1a", "a zero byte, and the end of files of DOS", AB),
    Entry("mixed_ends.csv", b"a,b\r\n1,2\n3,4\r", "line ends of three systems", AB),
    Entry(
        "comments_between.csv",
        b"a,b,c\n1,2,3\n# sensor changed, again\n4,5,6\n",
        "comments between rows",
        ABC,
        "comments between rows left out",
    ),
    Entry("markdown.txt", b"| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |\n", "a table of Markdown", AB),
    Entry("psql.txt", b" a | b \n---+---\n 1 | 2\n 3 | 4\n(2 rows)\n", "a table as PostgreSQL prints it", AB),
    Entry("mysql.txt", b"+---+---+\n| a | b |\n+---+---+\n| 1 | 2 |\n| 3 | 4 |\n+---+---+\n", "as MySQL prints it", AB),
    Entry(
        "sap.txt",
        b"--------\n|a |b   |\n--------\n|1 |2,5-|\n|3 |4,5 |\n--------\n",
        "a list as SAP prints it",
        {"a": [1.0, 3.0], "b": ["2,5-", "4,5"]},
    ),
    Entry(
        "aligned_text.txt",
        b"name   town   n\nAnn    Bern   1\nBob    Basel  2\n",
        "columns of text aligned by spaces",
        {"name": ["Ann", "Bob"], "town": ["Bern", "Basel"], "n": [1.0, 2.0]},
    ),
    Entry(
        "world_bank.csv",
        b'"Data Source","Indicators",\n\n"Last Updated","2020-01-02",\n\n'
        b'"Country","Code","2019","2020",\n"Aa","AA","1","2",\n"Bb","BB","3","4",\n',
        "pairs of words before the header, as the World Bank writes them",
        {"Country": ["Aa", "Bb"], "Code": ["AA", "BB"], "2019": [1.0, 3.0], "2020": [2.0, 4.0]},
        "'Data Source Indicators'",
    ),
    Entry(
        "inches.csv",
        b'n,t\n1,5"\n2,6" pipe\n3,said "hi\n',
        "quotes in cells without quotes",
        {"n": [1.0, 2.0, 3.0], "t": ['5"', '6" pipe', 'said "hi']},
    ),
    Entry(
        "name_of_two_lines.csv",
        b'"price\nper m\xc2\xb2",b\n1,2\n3,4\n',
        "a name with a line end",
        {"price\nper m²": [1.0, 3.0], "b": [2.0, 4.0]},
    ),
    Entry(
        "objects_and_commas.jsonl", b'{"a": 1, "b": 2},\n\n{"a": 3, "b": 4},\n', "JSON lines with commas after them", AB
    ),
    Entry("objects_in_lines.json", b'[\n  {"a": 1, "b": 2},\n  {"a": 3, "b": 4},\n]\n', "a list in several lines", AB),
    Entry("columns.json", b'{"a": [1, 3], "b": [2, 4]}', "JSON by column", AB),
    Entry("wrapped.json", b'{"count": 2, "rows": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}', "a list in an object", AB),
    Entry("sequence.json", b'\x1e{"a": 1, "b": 2}\n\x1e{"a": 3, "b": 4}\n', "a JSON text sequence", AB),
    Entry(
        "decimal_commas_cut.csv",
        b"a,b\n1,5,2,5\n3,5,4,5\n",
        "decimal commas between commas",
        "has 4 cells; the header has 2: '1,5,2,5'.",
    ),
    Entry(
        "packed_twice.csv.gz",
        gzip.compress(gzip.compress(b"a\n1\n", mtime=0), mtime=0),
        "gzip in gzip",
        "is compressed twice",
    ),
    Entry("cut.csv.gz", gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0)[:-12], "gzip without its end", "cannot be unpacked"),
    Entry(
        "table.xls",
        b"<table><tr><td>a</td></tr></table>",
        "an HTML table with the name of a spreadsheet",
        "is an HTML page",
    ),
    Entry(
        "rows.xml", b"<?xml version='1.0'?>\n<rows><r a='1'/></rows>\n", "XML", "is XML, not a table that is read here."
    ),
    Entry("weka.arff", b"@relation x\n@attribute a numeric\n@data\n1\n2\n", "ARFF", "is an ARFF file, not a table"),
    Entry("empty.csv", b"", "no bytes", "is empty. It needs a header and at least one row."),
    Entry("header_only.csv", b"a,b\n", "no rows", "has a header and no rows. It needs at least one."),
    Entry("long_row.csv", b"a,b\n1,2\n3,4,5\n", "a row with too many cells", "has 3 cells; the header has 2: '3,4,5'."),
    Entry(
        "open_quote.csv", b'a,b\n1,2\n3,"4\n', "a quote without end", "is not CSV (its last quoted cell has no end)."
    ),
    Entry(
        "page.csv",
        b"\n<!DOCTYPE html>\n<html><body>Log in</body></html>\n",
        "an HTML page",
        "is an HTML page, not a table.",
    ),
    Entry("document.csv", b"%PDF-1.7\n%\xe2\xe3\n", "a PDF", "is a PDF document, not a table that is read here."),
    Entry("binary.csv", bytes(range(1, 32)) * 4, "binary data", "is not a table: it holds binary data."),
)
