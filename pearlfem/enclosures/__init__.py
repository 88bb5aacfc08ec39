"""Numbers that are proven to enclose a function and its derivatives; no physics."""
