"""Reference learners: each has the call of a model, `predict(x, y, x_query)`, and works on all tasks at once.

The call:
    learner                  what a learner offers
    linear_learner           those whose answer is a weight matrix
Steps towards least squares:
    gradient_descent         K steps from W₀ = 0
    preconditioned_descent   the same through a matrix, and the best matrix for one step
    conjugate_gradient       the best K steps within a context
    newton_schulz            Newton's iteration for the inverse covariance
Where they lead:
    least_squares            of minimum norm
    ridge                    at a given or at the Bayes-optimal strength
What to beat:
    mean                     the mean of the observed outputs
    zero                     nothing at all
Best learning rates:
    best_rates               for a distribution of tasks, one shared or one a step
    rate_loss                the loss as a function of the rates alone
Beyond linear:
    on_features              any learner, given features of x instead of x
"""
