"""Residents who subscribe by themselves: their short messages, the public page, the code at the village door.
A number is proved by a code before it counts for anything."""
