"""Telemetry stations that speak SL 651-2014 or SZY 206-2016: a listener of its own for TCP and UDP, whose
answers go out after the log has the readings, and the same bytes over MQTT."""
