"""Cameras that are asked for their pictures: RTSP streams and JPEG snapshots by HTTP, fetched by a process
of its own as often as the plan says, and faster by itself while rain, a level, a rule or the picture says
so. PyAV is loaded by `rtsp.py` alone, when a stream is opened."""
