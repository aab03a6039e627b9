"""The diagnose agent: observations are folded into pipelines, alerts come out."""
