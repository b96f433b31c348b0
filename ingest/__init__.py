"""Messages to observations: whatever arrives becomes a record or a dead letter, and is kept.
A new wire format is a file in `decode` and a line in `stage.py`."""
