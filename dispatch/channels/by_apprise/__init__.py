"""Channels by the services of apprise. The library is loaded at the first message that goes by it."""
