"""Tables in files of any number and size: contexts of them, and predictions for them.

table_prediction  rows of one table predicted by those of another
streaming         predictions from chunks of x and y
nearest           the observations that are most like a row to predict
"""
