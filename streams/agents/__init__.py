"""What the four agents do with a chunk of records."""
