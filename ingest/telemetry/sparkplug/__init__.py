"""Edge nodes of Sparkplug B 3.0: births, data and deaths to readings, silence and requests for a rebirth."""
