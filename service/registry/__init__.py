"""Which models are served: the files of some directories, tried, kept by name and version, reloaded when they change.

model_file   the files of a directory, read so that nothing that lies there can hang or flood the reader
trial        a stranger's model file is opened for the first time in a process of its own
directories  the model files of some directories, as they were last found
catalogue    which models there are at one moment, by name and version; immutable
unloaded     which of them an administrator took out of service
repository   all of that, kept up to date while it is served
"""
