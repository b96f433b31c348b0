"""Heads of villages who answer an order, and prove the move where the district asks for it."""

import hashlib
from collections import Counter

import msgspec

from config.records.authority import Proving
from config.records.district import District
from dispatch.proving.transfers import Transfers
from ingest.observation import PersonSays
from ingest.people.photos.photo import PhotoTaken
from ingest.people.photos.photo_process import small
from simulators.carriers.phones import Sms
from simulators.people import Heads, Shown, Spoken
from simulators.views.photograph import photograph
from tests.support.districts import yanqing

DISTRICT = yanqing()
START = 1_753_531_200_000


def heads_say(district: District) -> list[Spoken | Shown]:
    heads, found = Heads(district), list[Spoken | Shown]()
    for c in district.contacts.values():
        for text in ("请准备转移，回复1", "立即转移，回复1", "立即转移，回复1"):
            heads.hear(Sms("sms", c.phone, "k", text), START)
    for minute in range(90):
        found += heads.advance(START + minute * 60_000)
    return found


def without_proof() -> District:
    policy = msgspec.structs.replace(DISTRICT.policy, proving=Proving())
    return msgspec.structs.replace(DISTRICT, policy=policy)


def test_heads_of_villages_answer_an_order_once_and_some_ask_for_help() -> None:
    found = [s for s in heads_say(without_proof()) if isinstance(s, Spoken)]
    assert found == heads_say(without_proof())
    moved = [s for s in found if "已转移" in s.text]
    heads = {c.id for c in DISTRICT.contacts.values() if c.role == "responsible"}
    assert {s.person for s in moved} <= heads
    assert len(moved) == len({s.person for s in moved}) > 40
    crying = {s.person for s in found} - {s.person for s in found if "求助" not in s.text}
    assert not crying, "who asks for help moves later"
    assert 0 < sum("求助" in s.text for s in found) < 12


def test_heads_prove_a_move_as_the_district_asks_some_of_them_badly_so_that_every_state_is_seen() -> None:
    found = heads_say(DISTRICT)
    assert found == heads_say(DISTRICT)
    shown = {s.person: s for s in found if isinstance(s, Shown)}
    words = {s.person: s.text for s in found if isinstance(s, Spoken) and "求助" not in s.text}
    assert not shown.keys() & words.keys(), "each reports once"
    assert {"属实"} <= set(words.values())
    for part in ("安置点", "已转移", "就地上楼", "投亲"):
        assert any(part in t for t in words.values()), part
    zone, transfers = DISTRICT.timezone, Transfers()
    for s in shown.values():
        picture = photograph(s.picture, s.taken_at, zone, s.place, blank=s.blank)
        made = small(picture)
        assert not isinstance(made, int)
        facts = PhotoTaken(made[0], **made[1]).facts(zone)  # type: ignore[arg-type]
        transfers.take(
            PersonSays(
                id=s.ident, person=s.person, role="responsible", area=s.area, what="moved",
                said_at=s.at, received_at=s.at, way="form", people=s.people, how="shelter", shown=facts,
                photo=hashlib.sha256(made[0]).hexdigest(),
            )
        )  # fmt: skip
    sums = [transfers.sums(DISTRICT, s.area, START, 10_000) for s in shown.values()]
    why = Counter(r.why if not r.proven else "proven" for t in sums if t for r in t.rows)
    assert why["proven"] > 5, why
    assert {"far", "old", "blank"} <= why.keys(), why
    assert why["used"] + why["alike"] == sum(s.picture not in shown for s in shown.values()) - 1
