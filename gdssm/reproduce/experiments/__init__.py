"""One experiment a file: measure() returns numbers, draw() makes a figure of these numbers alone."""
