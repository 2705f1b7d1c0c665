"""Who may come in: log-in, sessions, second factor, lock-out, and the operators of a workspace."""
