"""The shell: agents, settings, state, producer, index, metrics and commands."""
