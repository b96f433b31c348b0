"""The platform of all stages: the log, the history, MQTT, HTTP, clocks, metrics. It knows nothing of rain
or warnings. Whoever changes a port here changes every adapter and its contract tests."""
