"""The index at full size: how fast it answers, and what it keeps per batch and prediction."""
