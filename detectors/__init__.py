"""The arithmetic: statistics, baselines, evidence and calibration. Numpy in, findings out."""
