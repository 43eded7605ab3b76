"""Accuracy on public and synthetic tables: the served models compared with the usual models of scikit-learn."""
