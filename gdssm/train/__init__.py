"""Training from random weights: `python -m gdssm.train --preset NAME --out DIRECTORY`.

config       all options of a run
presets      the runs that ship
batches      training data by seed and step, drawn in advance or on a card
device_tasks tasks drawn on a card
optimizer    AdamW with annealed weight decay and soft thresholds
step         loss, gradients and optimizer of one step
capture      the same as a CUDA graph
growth       layers that are added one by one
checkpoint   a run on disk: safetensors and JSON, resumed bit for bit
interruption SIGTERM and Ctrl-C end a run with a checkpoint
distributed  several processes as one
loop         the run itself
evaluate     a trained stack compared with gradient descent
"""
