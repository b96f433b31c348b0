"""What pages read beside the log: people's numbers, measurements of years, pages to print."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.language import Language, Said, Text
from config.records.district import Contact, District
from dispatch.people.contact_store import ContactStore
from dispatch.people.erase import erase, word_of
from dispatch.people.residents.allowance import Allowance, Tally
from dispatch.people.signed_choices import public_of, verified
from dispatch.records import Decision
from ingest.people.kept_words import Kept, Words
from ingest.people.subscriber import Subscriber
from stream.history.port import History
from stream.log.port import Out


def _no_key(_: Decision) -> Decision:
    raise ValueError(Text("本台没有签名的钥匙", "this desk has no key to sign with"))


class Sources(NamedTuple):
    """contacts: the folder of the run's contact store. frame: a picture by its SHA-256, none that
    lies encrypted. photograph: one that lies so, as people sent it, None of any other. hide:
    (camera, or empty where it is not known; picture) -> what may be seen of it, None where nothing may,
    and what was done to it.
    prints: name of a page -> what makes it of an incident's id ("": the newest), or `drill` of a run's
    name, in a language; raises ValueError where there is none. sign: what a person decides, with the
    desk's proof of it; raises ValueError where there is no key."""

    contacts: Path | None = None
    history: Callable[[], History] | None = None
    frame: Callable[[str], bytes | None] | None = None
    photograph: Callable[[str], bytes | None] = lambda _: None
    hide: Callable[[str, bytes], tuple[bytes | None, Said]] = lambda _, body: (body, "")
    prints: Mapping[str, Callable[[str, Language], str]] = {}
    sign: Callable[[Decision], Decision] = _no_key


NOTHING = Sources()


_NO_STORE = Text("没有联系人库", "there is no contact store")


class People:
    """Whom the run may tell, as the store has it now: it is read again when it has changed. Where
    there is no store yet, the list of the district's folder."""

    def __init__(self, district: District, folder: Path | None) -> None:
        self._district, self._folder = district, folder
        self._seen: tuple[int, int] = (0, 0)
        self._now = district

    def _there(self) -> Path | None:
        file = self._folder / "contacts.db" if self._folder else None
        return file if file and file.exists() else None

    def stored(self) -> bool:
        """False: there is no store yet, and contacts.csv is the list."""
        return self._there() is not None

    def district(self) -> District:
        """With everybody's choices, without names and numbers. Raises ValueError: the store cannot
        be opened."""
        file = self._there()
        if file is None or self._folder is None:
            return self._district
        stat = file.stat()
        if (stat.st_mtime_ns, stat.st_size) != self._seen:
            with ContactStore(self._folder) as store:
                people, key = store.load(), public_of(store.signing_key)
            self._now = msgspec.structs.replace(
                self._district, contacts=people, subscriber_key=key
            )
            self._seen = (stat.st_mtime_ns, stat.st_size)
        return self._now

    def proves(self, choice: Subscriber) -> bool:
        """Did whoever holds this store write that record? No, where the store cannot be opened."""
        try:
            key = self.district().subscriber_key
        except (ValueError, OSError, sqlite3.Error):
            return False
        return verified(choice, key, self._district.id)

    def tallies(self) -> list[Tally]:
        """What the limits let and refused, by day; nothing where nobody has asked yet, or it cannot be read."""
        if self._folder is None or not (self._folder / "residents.db").exists():
            return []
        try:
            share = Allowance(self._folder)
        except (OSError, sqlite3.Error):
            return []
        try:
            return share.tallies()
        except sqlite3.Error:
            return []
        finally:
            share.close()

    def whole(self, ids: list[str]) -> list[Contact]:
        """These people with names and numbers; for eyes that may see them. Raises ValueError."""
        if self._there() is None or self._folder is None:
            known = self._district.contacts
            return [known[i] for i in ids if i in known]
        with ContactStore(self._folder) as store:
            return [c for i in ids if (c := store.whole(i)) is not None]

    def words(self, at: int) -> list[Kept]:
        """What people wrote themselves, newest first, of the last three days before `at` (epoch ms); see
        `ingest.people.kept_words`. Raises OSError, sqlite3.Error, ValueError: the store cannot be read."""
        if self._folder is None or not (self._folder / "people-words.db").exists():
            return []
        store = Words(self._folder)
        try:
            return store.read(at)
        finally:
            store.close()

    def erase(self, contact_id: str, at: int) -> None:
        """Overwrite one person of the store (epoch ms). Raises ValueError where there is none, or it
        cannot be opened."""
        if self._there() is None or self._folder is None:
            raise ValueError(_NO_STORE)
        erase(self._folder, [contact_id], at)

    def erased_word(self, contact_id: str, at: int) -> Out:
        """For the log, that this person was erased (epoch ms). Raises as `erase` does."""
        if self._folder is None:
            raise ValueError(_NO_STORE)
        return word_of(self._folder, contact_id, self._district.id, at)
