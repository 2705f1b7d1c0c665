"""Pure conversion between WhatsApp's protobufs and our domain types: no I/O, one file per subject (ENG-2)."""
