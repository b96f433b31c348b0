"""Frames of telemetry stations: bytes to values and back. Pure, and without any import of the rest: it could
be a package of its own. Nothing raises for what a station sends; what is wrong is a value with its place."""
