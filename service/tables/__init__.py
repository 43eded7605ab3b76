"""Tables as people have them: text, gaps, dates and categories become the numbers of a model.

cells     a column as a source has it
text      what a text means: a number, yes or no, a time, or missing
summary   what the cells of a column look like; summaries of parts of a table add up
schema    what becomes of each column
requested what a caller says of the columns
inferring decides the rest by the summaries of the context
describing  one sentence on each column
encoding  rows become x, y and names, by a schema
predicting the model for a table, and predictions for its rows

reading      opens a table in a file: by its format, recognised by content
sources      the bytes: a path, a pipe or a body, without compression
text_stream  the text of bytes in any encoding
dialect      how a text is a table: separator, quotes, comments
header       where the rows begin, and the names of columns
csv_file     text files, read by pyarrow in blocks
arrow_files  Parquet and Arrow files
parquet_statistics  summaries of columns by the end of a Parquet file
arrow_cells  columns of Arrow as cells
spreadsheet  xlsx, xls and ods; spreadsheet_size checks them before they are in memory
json_lines   an object in each line
value_chunks rows of Python values as cells
memory       records and columns of JSON as a table

prediction_columns  predictions as columns of a table
row_texts    cells of rows as text
writing      writes tables in chunks, as CSV, Parquet or Arrow

assessing    the model against other methods, in cross-validation
effects      what each column adds to predictions

Only numpy and pydantic are needed here; what reads files needs pyarrow, the extra `gdssm[tables]`.
"""
