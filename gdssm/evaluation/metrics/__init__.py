"""Numbers that say how far apart two answers are, one idea a file.

loss                    the paper's loss, for all tasks together or for each
r2                      the explained share of the variance
prediction_difference   how far two learners' answers are apart
sensitivity             how a learner's answer changes with the query
sensitivity_difference  how far two sensitivities are apart
sensitivity_cosine      whether they point the same way; blind to scale
coverage                how often predictive intervals hold the observation
interval_score          how good predictive intervals are: width, and a penalty for what lies outside
"""
