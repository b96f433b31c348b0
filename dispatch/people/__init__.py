"""Addresses of people, sealed and erasable, and the evacuation roll. No number or name leaves this room
but to a channel."""
