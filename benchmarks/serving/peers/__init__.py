"""What others serve with, each used as its own documentation shows."""
