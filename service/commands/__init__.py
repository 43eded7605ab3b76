"""The commands of `gdssm`, one file each; each module's `command` is loaded when it is asked for.

serve     answer over HTTP
predict   two files in, a column out
models    what is served
eval      models beside reference learners, over the public API
bench     how fast a service answers
keys      who may ask
options   what several of them take
"""
