"""Telemetry stations to try the doors with: one of SL 651, and a LoRaWAN device behind a network server."""
