"""What answers cost: reserved before the call, taken when the answer was sent, in a ledger that always adds up."""
