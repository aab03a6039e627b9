"""The detect agent: events become summaries, summaries are folded, observations come out."""
