"""Middleware around the app, in the order of `service.app`."""
