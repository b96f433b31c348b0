"""What is known of a station and what a value is worth: QARTOD-like tests, counters, courses, neighbours."""
