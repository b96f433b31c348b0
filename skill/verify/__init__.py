"""Events and alarms matched, scores, and what really happened. Pure."""
