"""Faults as generators: each family has places in a pipeline where it can happen, and draws one that happens there."""
