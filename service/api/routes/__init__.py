"""Endpoints by resource: a module a path prefix."""
