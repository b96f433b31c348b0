"""What a district declares: its tables as records, read and checked as a whole before anything starts.
Everybody may import it; it imports nobody. A new table is a record, a reader and a check."""
