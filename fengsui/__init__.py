"""The command: it puts the line together and starts it. Nobody imports it but the benches."""
