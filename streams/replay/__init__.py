"""What was published, said again by the code of today: from the recorded log, or from the events themselves."""
