"""MQTT: the one client, the table of who may say and hear what, and the embedded broker."""
