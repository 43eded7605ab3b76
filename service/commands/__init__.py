"""The commands of `gdssm`, one file each; a module is loaded when its command is run.

serve     run the service
predict   predict a column of a table
inspect   say how the columns of a table are used
models    list models
eval      evaluate models, compared with reference learners
bench     measure the latency of a service
keys      manage API keys
check     say whether the configuration is sound
ingest    let contexts learn from a log
options   options that several commands have
table_options  options of commands that read tables
"""
