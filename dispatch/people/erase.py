"""Erasing people at their request: their links, their rows in the contact store, and the rows' keys.
The one way, for `fengsui contacts erase` and for the duty room."""

from collections.abc import Sequence
from pathlib import Path

from dispatch.people.contact_store import ContactStore
from ingest.people.kept_words import Words
from ingest.people.links import Links


def erase(folder: Path, ids: Sequence[str], at: int) -> list[str]:
    """The ids that the store in this folder held, and no longer holds. at: epoch ms. The links come
    first: if this stops half way, the person is still there and may be erased again. Raises
    ValueError naming the file where one of the two cannot be read."""
    links = Links(folder)
    for name in ids:
        links.revoke(name)  # nobody reports in their name any more
    if (folder / "people-words.db").exists():
        words = Words(folder)
        words.erase(ids)
        words.close()
    with ContactStore(folder) as store:
        return store.erase(ids, at)
