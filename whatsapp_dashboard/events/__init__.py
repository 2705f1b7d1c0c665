"""The event log every change is written to, and the bus that tells live pages."""
