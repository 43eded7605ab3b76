"""The evidence in one command: `python -m gdssm.reproduce --out report/ [--from DIRECTORY] [--quick]`.

What is measured:
    experiments  one file each: measure() gives numbers, draw() a figure made of these numbers alone
    catalog      all of them, in the order of the report
    claims       what must hold, with its target, and whether it does
With what:
    settings     how much of everything: full, quick, tiny
    context          an experiment's tasks, trained stacks and tuned references
    runs         the presets, trained here or loaded
    fitting      short training, for models that are no preset
    compared_models  who takes part in the comparison
    answering    torch models with the call of a reference learner
    gaussian_process  what a Gaussian process predicts
    names        what learners are called
    curves       losses with their confidence along one axis
How it is shown:
    experiment   the parts that every experiment has
    plot_style        one colour a learner, everywhere
    drawing      lines with their names at their ends
    html         one self-contained page
    provenance   machine, date, commit
    report       all together
"""
