"""CAP messages of others, by HTTP, feed, file or MQTT."""
