"""All experiments in one report: `python -m gdssm.reproduce --out report/ [--from DIRECTORY] [--quick]`.

experiments         one file each: measure() returns numbers, draw() makes a figure of these numbers alone
catalog             all of them, in the order of the report
claims              the paper's statements with their numbers and bounds; an experiment's `claims` adds its own
loss_ratio          a loss relative to a reference: non-inferiority, and two robust ratios
formulations        every formulation as a small model, with its literal descent
processes           jobs in several processes, and their processor time
report_sizes        sizes of a report: full, quick, tiny
experiment_context  tasks, trained stacks and tuned references of an experiment
runs                the presets, trained or loaded
fitting             short training, for models that are no preset
compared_models     the models of the comparison
torch_learners      torch models with the interface of a reference learner
gaussian_process    Gaussian processes
sequence_models     models of sequences to compare with gdssm.sequence, and their training
curves              losses with confidence intervals along one axis
experiment          the parts of an experiment
plot_style          names and colours of learners
drawing             lines with labels at their ends
html                one self-contained page
report              measure, write and draw
"""
