"""The fixtures of calls: a broker for the stage send."""

from tests.support.send import broker  # noqa: F401
