"""The science of gdssm: a gated state-space model whose recurrence is gradient descent.

The layer, one idea a file:
    tokens            x₁, y₁, x₂, y₂, …, x_N, y_N, x_query as one sequence
    window            three neighbouring tokens, two steps at a time: (x_i, y_i, x_{i+1})
    input_gate        the windowed bilinear product that makes x_i y_iᵀ
    recurrence        the diagonal linear recurrence that sums it
    output_gate       the product of the state with the gated window
    layer             the four together: scan() and step()

Models made of it:
    descent           sufficient statistics, and K gradient steps read from one accumulated state
    curvature         how long a step may be
    moments           count, mean and centred second moments as a state
    model             what is exported: GradientDescent (gd-K) and StandardizedDescent (linear 1.0)
    cell_moments      the same as moments, of tables with missing cells and of features
    quadrature        the times at which gradient flow is looked at, without torch
    descent_integral  ridge regression at every strength from one run of gradient flow
    evidence          how probable the observations are at every strength
    readout           the average over strengths and groups of features, as a vector and a matrix
    prior             the numbers of that average
    feature_plan      which features are made of D columns
    feature_map       features, and the scale that they need before the context is complete
    decay_average     predictions at several forgetting factors, averaged by how well each has predicted
    query_design      queries as a readout takes them: features, centred, moved in where they are too far out
    evidence_average  what is exported of these: linear 2.0 and nonlinear
    class_readout     the same average for classes: discriminant analysis of the scores of one-hot y
    evidence_classifier  what is exported of that: classifier 2.0
    mini_batch        one layer per mini-batch, told apart by a decay of 0
    construction      the analytic weights, one function per statement of the paper
    stack             L layers that read one state, every weight free to learn
    decayed_gram      the product of the decayed state with a vector, without making the state: how a stack trains
    features          a learned feature map before the layers, a gated head after them
    streaming         a trained stack as a model that streams
    formulations      the paper's other two ways to say the layer
    cross_entropy     gradient steps on softmax cross-entropy: one that streams, or K in one shot
    least_squares     classifier 1.0: least squares on one-hot y

Held against:
    reference         the literal definition, imported by tests only
    evaluation        tasks, reference learners and metrics in numpy alone
    linear_attention  the same gradient step, and a layer in its words
    parameter_alignment  trained parameters compared with the constructed ones, up to the symmetries of the model
    ablations         the stack with one of its ideas taken out
    baselines         sequence models to compare with, with and without the window

Components:
    train             training from random weights; its finished runs are in runs
    reproduce         every claim of the paper, measured and drawn in one report

Letters and axes are in notation. Nothing here is imported for you: `from gdssm.layer import GDSSMLayer`.
"""
