"""A pipeline's life with a known fault in it: seeded, clock-free, as the events its producers would send."""
