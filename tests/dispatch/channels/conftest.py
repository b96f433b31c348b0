"""The fixtures of channels: an HTTP gateway far away, a district."""

from tests.support.gateway import far  # noqa: F401
from tests.support.smpp import loaded  # noqa: F401
