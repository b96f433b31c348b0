"""What the stage remembers between batches. A change of its form raises the `format` of snapshots."""
