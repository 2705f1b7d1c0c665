"""The AI usage page."""
