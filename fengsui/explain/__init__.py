"""Why a warning was or was not raised, and the way of one reading. Pure but for reading the log."""
