"""One agent on one partition: one state, one journal, one transaction at a time."""
