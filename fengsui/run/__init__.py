"""What every command needs of a run: its setup, its log, its processes, its folder."""
