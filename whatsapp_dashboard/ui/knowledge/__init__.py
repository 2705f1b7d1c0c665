"""The Knowledge page."""
