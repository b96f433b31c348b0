"""The fixtures of the stage send: a district and a broker."""

from tests.support.send import broker, district  # noqa: F401
