"""Webhooks: every event as a signed request to other systems, stored before it is sent, tried again, shown (HOOK-1 to HOOK-8)."""
