"""A package, so that another of this name, which a distribution brings along, is not found before it."""
