"""Accounts and the pool that owns their sessions."""
