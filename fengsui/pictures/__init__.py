"""How long pictures are kept: what is known of each, what evidence and investigations need, and the deletion of
those whose time is over. A live run's alone; it stands beside the process `archive`."""
