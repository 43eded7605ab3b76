"""The registry of models: the model files of some directories, by name and version, reloaded when they change.

repository       the models in service, updated while they are served
directories      the state of the model files at the last scan
model_file       reads a file safely: no pipes, no links out of the directory, a limited size
sandbox          loads an untrusted file for the first time in a separate process
disabled_models  the models that administrators took out of service, in memory
database_disabled_models  the same, in the database
"""
