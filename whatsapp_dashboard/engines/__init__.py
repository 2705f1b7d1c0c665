"""How an account talks to WhatsApp: one contract, one folder per engine."""
