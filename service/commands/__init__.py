"""The commands of `gdssm`, one file each; a module is loaded when its command is run.

serve     run the service
predict   predict a column of a table, also by predict_files and predict_by_service
inspect   say how the columns of a table are used
models    list models
contexts  contexts of files, and those of a service: stored_contexts, observe_by_service
eval      evaluate models, compared with reference learners; evaluated_table: on a table
bench     measure the latency of a service
keys      manage API keys
check     say whether the configuration is sound, by configuration_checks
ingest    let contexts learn from a log
options   options that several commands have
table_options  options of commands that read tables
dataset_options  options of commands that read any number of files
"""
