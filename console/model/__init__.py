"""The folded log that pages and the command line look at. Pure."""
