"""Pure types and rules of the field. No I/O here."""
