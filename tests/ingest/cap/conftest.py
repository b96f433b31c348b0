"""The fixtures of CAP that comes in: a log, and a feed of a neighbour."""

from tests.support.cap_ways import feed, log  # noqa: F401
