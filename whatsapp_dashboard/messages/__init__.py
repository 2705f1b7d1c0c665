"""The message pipeline: one way in, one way out, and what the inbox shows."""
