"""Small tables that ship, of measurements: README.md here names their sources and licences.

read    a table by its name
write   the files, from scikit-learn
"""
