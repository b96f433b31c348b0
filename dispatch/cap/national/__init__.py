"""The way to the national release platform 12379: its files, its identifiers, its acknowledgements. What
only the platform's own sheet can say stands in a district's configuration, never here."""
