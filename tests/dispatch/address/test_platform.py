"""A broadcast platform as a recipient: it gets what is public, as it is spoken, each warning by itself."""

import msgspec

from config.records.district import Contact, District
from config.records.level import Action, Level
from dispatch.address.recipients import public
from dispatch.grade import Grade
from dispatch.records import Alert
from dispatch.words.compose import Message, write
from dispatch.words.sample import sample
from tests.support.decide_district import T0, yanqing

PLATFORM = Contact(
    id="C-EBM", name="应急广播平台", role="organisation", areas=("*",), lang="zh",
    channels=("broadcast_platform", "sms"), min_level=Level.YELLOW,
)  # fmt: skip


def district() -> District:
    d = yanqing()
    return msgspec.structs.replace(d, contacts={**d.contacts, PLATFORM.id: PLATFORM})


def alert(level: Level, action: Action = Action.NONE) -> Alert:
    return sample("A01", "flash_flood", Grade(level, action), T0, valid_s=3600, status="actual")


def test_it_gets_what_is_public_from_its_level_on_and_every_order() -> None:
    d = district()
    for level, action, hears in (
        (Level.BLUE, Action.NONE, False),
        (Level.YELLOW, Action.NONE, True),
        (Level.NONE, Action.PREPARE, True),
    ):
        found = [t for t in public(d, alert(level, action), ()) if t.recipient == PLATFORM.id]
        assert bool(found) == hears, (level, action)
        assert all(t.kind == "public" and not t.not_before for t in found)


def test_its_words_are_those_of_the_loudspeakers() -> None:
    d = district()
    m = Message(alert(Level.RED, Action.MOVE), "public", "zh")
    spoken, heard = write(d, m, "broadcast_platform"), write(d, m, "broadcast")
    assert (spoken.text, spoken.title) == (heard.text, heard.title)
    assert write(d, m, "sms").text != spoken.text
