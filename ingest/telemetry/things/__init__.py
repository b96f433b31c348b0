"""OGC SensorThings 1.1 over MQTT: Observations of the Datastreams that things.csv names, as readings."""
