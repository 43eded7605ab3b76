"""Tasks, reference learners and metrics, in numpy alone.

tasks           distributions of regression tasks
suites          named lists of them
tables          small tables of measurements
learners        reference learners with the call of a model
learning_rates  the best learning rates for a distribution
references      the learners that a model is compared with, tuned on other tasks
oracles         the expected loss of one gradient step, in closed form
metrics         losses, differences and scores
alignment       agreement of a learner with a reference
calibration     coverage and score of predictive intervals
confidence      confidence intervals over tasks
evaluate        every learner on every distribution of a suite
checks          checks of arguments

`from gdssm.evaluation.tasks.linear import Linear`: the packages import nothing.
"""
