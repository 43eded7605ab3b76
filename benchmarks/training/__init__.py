"""What a step of training takes beside two plain ways to write it, how it grows, and how soon a preset arrives.

contestants  the same stack read in three ways: ours, a loop over time, a scan for each dimension
step         a step as the training takes it, and its time
sizes        which presets are measured, how large, and how often
profiling    where the time of our step goes
report       what is told of it, in tables and figures
"""
