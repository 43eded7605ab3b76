"""Small tables of measurements; README.md names sources and licences, and `write` makes them from scikit-learn."""
