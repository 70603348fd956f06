"""Who may do what: accounts, sessions, tokens, the one access rule, and the record of who did what."""
