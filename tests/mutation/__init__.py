"""Mutation tests of critical modules: `make mutants`.

modules     which modules, and the tests of each
operators   mutations that cosmic-ray does not have
sample      which mutants are tried
equivalent  equivalent.toml: mutants that behave as the original does, with the reason
"""
