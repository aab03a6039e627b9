"""The demo: a simulated pipeline on a real Kafka, broken on purpose, and what Headwater says about it."""
