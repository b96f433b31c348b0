"""Erasing people at their request: their links, what they wrote, the keys of their photographs, their rows in
the contact store, and the rows' keys.
The one way, for `fengsui contacts erase` and for the duty room."""

from collections.abc import Sequence
from pathlib import Path

from config.language import Text
from dispatch.people.contact_store import ContactStore
from dispatch.people.signed_choices import signed
from ingest.people.kept_words import Words
from ingest.people.links import Links
from ingest.people.photos.sealed_photos import erase_photos
from ingest.people.subscriber import Subscriber
from stream.disk.locks import holding, in_force
from stream.log.port import Out
from stream.records import encode


class Held(ValueError):
    """A retention lock holds one of them (stream/disk/locks.py)."""


def erase(folder: Path, ids: Sequence[str], at: int) -> list[str]:
    """The ids that the store in this folder held, and no longer holds. at: epoch ms. The links come
    first: if this stops half way, the person is still there and may be erased again. Raises Held: one of them
    stands in what an investigation has locked, and nobody is erased; ValueError naming the file where one
    of these cannot be read."""
    locks = in_force(folder, at)
    for name in ids:
        if (lock := holding(locks, name)) is not None:
            raise Held(
                Text(
                    f"{name}: 事件 {lock.name} 的记录已锁（{lock.by}，{lock.reason}），不可删除；解锁后再删",
                    f"{name}: the records of incident {lock.name} are locked (by {lock.by}: {lock.reason}); "
                    "erase again when they are let go",
                )
            )
    links = Links(folder)
    for name in ids:
        links.revoke(name)  # nobody reports in their name any more
    if (folder / "people-words.db").exists():
        words = Words(folder)
        words.erase(ids)
        words.close()
    erase_photos(folder, ids)
    with ContactStore(folder) as store:
        return store.erase(ids, at)


def word_of(folder: Path, name: str, district: str, at: int) -> Out:
    """For the log: that this person was erased by the duty room, at `at` (epoch ms), signed with the key of
    the store in this folder: a running address drops them at once."""
    left = Subscriber(id=name, said_at=at, way="command", areas=())
    with ContactStore(folder) as store:
        return Out("cases", name, encode(signed(left, store.signing_key, district)))
