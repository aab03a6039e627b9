"""How often diagnosis names the right cause, says it once, and stays silent when nothing is wrong."""
