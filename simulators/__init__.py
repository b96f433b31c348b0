"""The world outside: rain, water, sensors, loudspeakers, phones and people, all from a seed."""
