"""Which people a run may tell: the list of its encrypted store, joined to the district.

A live run reads the store and nothing else. A plain contacts.csv in the folder is the list of a
district that is being tried: an exercise takes it in at its start, and again when it has changed. A
live run takes it in once, while its store has never held anybody, and says at each start that a file
with numbers lies there: to refuse would leave a valley unwarned for the sake of a file.
"""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import msgspec

from config.language import Text, en, zh
from config.records.district import District
from dispatch.people.contact_store import ContactStore
from dispatch.people.signed_choices import public_of
from fengsui.run.contact_csv import digest, take
from fengsui.run.setup import Setup
from ingest.people.links import Links
from stream.oplog import say
from stream.wall_clock import now_ms


def place(setup: Setup) -> Path:
    """The folder of a run's contact store: its state folder, or one of its own in the folder that
    FENGSUI_CONTACTS names, where `address` and `send` do not share a state folder."""
    apart = os.environ.get("FENGSUI_CONTACTS", "")
    return Path(apart) / setup.run.name if apart else setup.folder


def with_people(setup: Setup, stage: str) -> District:
    """The district with everybody in the run's store, without their numbers; those are read by
    `dispatch.channels.addresses.address`, one at a time. Raises ValueError when the store cannot be opened."""
    district, file = setup.district, setup.district.folder / "contacts.csv"
    with ContactStore(place(setup)) as store:
        if district.contacts and file.exists():
            with store.change():
                before = store.fact("list")
                first = not before and not store.ids()
                if first or (not setup.live and before != digest(file)):
                    gone = store.erased()
                    whole = [c for c in district.contacts.values() if c.id not in gone]
                    take(store, whole, file)
            if setup.live and any(c.phone or c.app or c.email for c in district.contacts.values()):
                say(stage, f"{file}: " + _PLAIN)
        contacts, key = store.load(), public_of(store.signing_key)
    for text in doubts(district, contacts):
        say(stage, text)
    return msgspec.structs.replace(
        district, contacts=contacts, vault=place(setup), subscriber_key=key
    )


def with_reporters(setup: Setup) -> tuple[District, Path | None]:
    """For ingest: the district with everybody who may report, and where their links stand. A store
    that cannot be opened here keeps nobody's gauge from being heard: then only people are not."""
    try:
        return with_people(setup, "ingest"), place(setup)
    except (ValueError, OSError, sqlite3.Error) as e:
        say(
            "ingest",
            Text(
                f"联系人库打不开，没有人能报告：{zh(e)}",
                f"nobody can report, the contact store: {en(e)}",
            ),
        )
        return msgspec.structs.replace(setup.district, contacts={}), None


def link_of(setup: Setup, person: str) -> str:
    """The address of somebody's personal page, made anew: for a simulated person of an exercise. Raises
    OSError while no page is open, and ValueError."""
    url = (place(setup) / "people.url").read_text().strip()
    return f"{url}/r/{Links(place(setup)).make(person, now_ms(), 1)}"


_PLAIN = Text(
    "号码明文存放，运行时不读此文件：fengsui contacts import，然后删去它",
    "numbers stand there in plain and are not read from there: fengsui "
    "contacts import, then delete the file",
)


def doubts(district: District, contacts: Mapping[str, object]) -> list[Text]:
    """What a list that was imported lacks; ids only."""
    found = []
    if not contacts:
        found.append(
            Text(
                "联系人库为空：fengsui contacts import FILE.csv",
                "nobody is on any list: fengsui contacts import FILE.csv",
            )
        )
    for o in district.officers.values():
        if o.contact and o.contact not in contacts:
            found.append(
                Text(
                    f"officers.csv {o.id}: 联系人 {o.contact} 不在库中",
                    f"officers.csv {o.id}: contact {o.contact} is not in the store",
                )
            )
    for r in district.plans.risks.values():
        for who in r.contacts:
            if who not in contacts:
                found.append(
                    Text(
                        f"risks.csv {r.id}: 联系人 {who} 不在库中",
                        f"risks.csv {r.id}: contact {who} is not in the store",
                    )
                )
    for key in ("not_woken_to", "reports_to"):
        for who in getattr(district.channels, key):
            if who not in contacts:
                found.append(
                    Text(
                        f"channels.toml {key}: {who} 不在库中",
                        f"channels.toml {key}: {who} is not in the store",
                    )
                )
    return found
