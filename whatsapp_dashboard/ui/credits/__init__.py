"""The Credits page."""
