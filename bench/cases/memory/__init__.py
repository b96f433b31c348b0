"""What the memory of detect costs: by stations, in snapshots, in coming back."""
