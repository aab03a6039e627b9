"""The reasoning: lineage, verdicts, suspects and the life of an alert."""
