"""One experiment a file: measure() gives numbers, draw() a figure made of these numbers alone.

alignment          loss and alignment over training
stretch            out of the distribution of training
dimension          loss against the number of features
weights            trained weights beside the constructed ones
multi_step         more layers, more steps
ill_conditioned    correlated inputs
sine               non-linear regression, with the context drawn
context_length     loss against the number of examples
drift              forgetting, where the function moves on
comparison         baselines and ablations at one budget
linear_attention   a trained layer in the words of attention
"""
