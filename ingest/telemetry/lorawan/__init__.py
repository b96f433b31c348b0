"""LoRaWAN devices: what ChirpStack v4 and The Things Stack v3 publish of them, and what the bytes of their
payloads mean by a codec of config/codecs."""
