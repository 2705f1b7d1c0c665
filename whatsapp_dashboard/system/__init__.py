"""Keeping the program healthy: backup and restore, key rotation, the lock on the data folder."""
