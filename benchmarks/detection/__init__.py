"""How often detection alarms for nothing, and how fast it finds what is there."""
