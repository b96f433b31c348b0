"""The fixtures of the door for people."""

from tests.support.people_door import place  # noqa: F401
