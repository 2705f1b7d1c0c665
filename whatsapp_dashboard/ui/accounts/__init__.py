"""The Accounts page: see every account, link it, tune it (ACC-1 to ACC-11)."""
