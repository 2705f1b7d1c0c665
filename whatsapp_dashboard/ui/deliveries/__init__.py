"""The delivery log of webhooks."""
