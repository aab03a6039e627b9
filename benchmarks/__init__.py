"""Measurements of the product, each beside its peers, floors and dummies."""
