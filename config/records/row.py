"""A row of a table that a person edits, as it is loaded."""

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a table that a person edits."""
