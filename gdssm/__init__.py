"""A gated state-space model whose recurrence is gradient descent.

The layer (definition):
    tokens, window       x₁, y₁, x₂, y₂, …, x_query in windows (x_i, y_i, x_{i+1})
    input_gate           the bilinear product x_i y_iᵀ of a window
    recurrence           the diagonal linear recurrence that sums it
    output_gate, layer   the product of the state with the query token; all four together
Constructed weights:
    construction         one function for each statement of the paper
    descent, curvature   K gradient steps from one state, and their length
    mini_batch, formulations, linear_attention  other forms of the same step
Served models:
    moments, model       centred second moments; GradientDescent (gd-K) and StandardizedDescent (linear 1.0)
    cell_moments         moments of tables with missing cells and of features
    quadrature, descent_integral, evidence, prior, readout  ridge regression averaged over strengths by evidence
    feature_plan, feature_map, query_design  features of columns, and of queries
    evidence_average     linear 2.0 and nonlinear
    class_readout, evidence_classifier  classifier 2.0
    decay_average        predictions at several decays, averaged by their scores
    cross_entropy, least_squares  softmax steps, and classifier 1.0
Training:
    stack, decayed_gram, blocks  L layers with free weights, and the product with the state that trains them
    features, streaming  learned feature map and head; a trained stack as a streaming model
    train, parameter_alignment  training, and the comparison of weights with the construction
Sequences:
    sequence             K gradient steps at every position as a causal layer, and a small language model
Comparison:
    reference            the literal definition, for tests and experiments
    evaluation           tasks, reference learners and metrics in numpy alone
    ablations, baselines variants of the stack, and other sequence models
    reproduce            all experiments in one report

Letters and axes are in notation, those of numpy arrays in arrays; provenance states machine, date
and commit of a measurement. `from gdssm.layer import GDSSMLayer`: the packages import nothing.
"""
