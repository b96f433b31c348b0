"""The fixtures of the duty room: its door for a client that is no browser, its pages in a real one."""

from tests.support.console_door import caller, users  # noqa: F401
from tests.support.console_pages import browser, desk, here, log, seat, setup  # noqa: F401
