"""The yardstick: what a model is asked, what it is compared with, and how far apart the answers are. numpy alone.

What is asked:
    tasks       distributions of regression tasks, one a file
    suites      named lists of them
    tables      small tables that ship
What it is compared with:
    learners    reference learners with the same call as a model, and the best learning rates for a distribution
    references  those that a model is measured beside, tuned on other tasks
    oracles     what one gradient step can reach, in closed form
How far apart:
    metrics     one number a file
    alignment   the numbers that only mean something together
    calibration the same for predictive intervals
    confidence  how sure a mean over tasks is
All of it together:
    examination every learner on every distribution of a suite

Shared by all of them:
    arrays      the letters, and the array type
    checks      refusals that name the argument

Nothing here is imported for you: `from gdssm.evaluation.tasks.linear import Linear`.
"""
