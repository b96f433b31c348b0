"""What comes in by the doors: spoilt messages, telemetry stations, wrong log-ins."""
