"""What must be true of channels.toml. Pure."""
