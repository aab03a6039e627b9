"""The Redis index behind trace, explain and the lists of alerts: written from the log, rebuilt from it when flushed."""
