"""The fixtures of the duty room in a real browser."""

from tests.support.console_pages import browser, desk, here, log, seat, setup  # noqa: F401
