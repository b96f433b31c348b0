"""The fixtures of a district's folder."""

from tests.support.config import folder  # noqa: F401
