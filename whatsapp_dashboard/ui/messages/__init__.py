"""The message log page (MSG-8)."""
