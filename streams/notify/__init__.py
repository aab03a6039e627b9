"""Telling people: alerts are posted to Alertmanager, again and again until they are over."""
