"""Training from random weights: `python -m gdssm.train --preset NAME --out DIRECTORY`.

config       everything that decides a run
presets      the runs that ship
batches      training data by seed and step, drawn ahead of their use
optimizer    AdamW with an annealed pull to zero, and a little sparsity
growth       a stack that gets its layers one by one
checkpoint   a run on disk: safetensors and JSON, resumed bit for bit
distributed  several processes as one
loop         the run itself
evaluate     a trained stack beside gradient descent on the same tasks
"""
