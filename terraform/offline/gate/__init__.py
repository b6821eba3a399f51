"""The offline gate: checks of the stack that need no account, no registry and no network."""
