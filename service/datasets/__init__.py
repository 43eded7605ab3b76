"""Tables in files of any number and size: contexts of them, and predictions for them.

files             finds files by paths, directories, globs and URIs
splits            cuts them into parts that one task reads
engine            runs tasks: here, in several processes, or on other machines
ray_engine        runs tasks on a Ray cluster
run_directory     keeps the results of finished tasks, so that an interrupted run continues

table_prediction  rows of one table predicted by those of another
streaming         predictions from chunks of x and y
nearest           the observations that are most like a row to predict
"""
