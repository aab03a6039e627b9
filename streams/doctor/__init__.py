"""What is wrong with the surroundings, and how to mend it: every check returns lines, none raises."""
