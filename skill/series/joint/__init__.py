"""Families of rules on several stations at once: level with rain, gauges upstream, runoff models. Pure."""
