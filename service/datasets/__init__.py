"""Tables in files of any number and size: contexts of them, and predictions for them.

files             finds files by paths, directories, globs and URIs
splits            cuts them into parts that one task reads
engine            runs tasks: here, in several processes, or on other machines
ray_engine        runs tasks on a Ray cluster
run_directory     keeps the results of finished tasks, so that an interrupted run continues
run               runs tasks with both, and reports progress

pieces_table      pieces of files as one table
summarizing       one schema for all files
building          a context of the rows of files
outputs           files that get their names when they are complete
file_predictions  predictions, one output for each file
reports           rows and odd cells of splits
models            models for commands and their worker processes

table_prediction  rows of one table predicted by those of another
streaming         predictions from chunks of x and y
nearest           the observations that are most like a row to predict
"""
