"""The fixtures of a real browser."""

from tests.support.console_pages import browser, here  # noqa: F401
