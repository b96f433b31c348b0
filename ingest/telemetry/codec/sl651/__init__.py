"""SL 651-2014, the protocol of hydrological telemetry stations: frames, bodies, answers.

`frame.Finder` takes a stream of bytes, `body.read` a frame, `encode` makes frames in both directions, `rows`
a table for people. Where a fact is not sure it is said where it is used (docs/devices/sl651.md)."""
