"""Waveforms of geophones as one number a second, at the edge: miniSEED files and SeedLink in, readings over
MQTT out. ObsPy is loaded by `records.py` and `seedlink.py` alone, when they are called."""
