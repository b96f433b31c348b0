"""What makes a pure stage a process: reading, stepping, snapshots, commits, and its figures."""
