"""The page Delivery (送达): area by area and channel by channel how far the newest word came, and who
was not reached. Pure."""

from collections import Counter

from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH
from console.model.answers import Missed, Unreached
from console.model.picture import Picture, ReachRow
from console.model.reach import Reached, arrived, missed
from console.model.trail import Trail
from console.model.view import Sent, View


def parts(district: District, view: View, trail: Trail, now: int) -> Picture:
    """`reach`: area -> its row; `sounded`: loudspeaker -> when it last played; `roll`: area -> who
    moved. What did not change is counted anew once a minute, for deadlines pass."""
    reached = trail.reached
    if now // 60_000 != reached.minute:
        reached.minute = now // 60_000
        reached.stale.update(reached.places)
    for area in reached.stale & district.areas.keys():
        if said := reached.current(view, area, now):
            reached.rows[area] = _row(said, now, reached.records[area])
        else:
            reached.rows.pop(area, None)
    reached.stale.clear()
    return {
        "reach": dict(reached.rows),
        "sounded": dict(reached.played),
        "roll": trail.rolled.rows_at(district, now),
    }


def _row(said: list[Sent], now: int, rev: int) -> ReachRow:
    """Recipients, each once: reached when everything reached them. `channels` counts deliveries."""
    channels: dict[str, Counter[str]] = {}
    for s in said:
        channels.setdefault(s.channel, Counter())[s.state] += 1
    every: dict[str, list[Sent]] = {}
    for s in said:
        if s.state != "superseded":
            every.setdefault(s.delivery.recipient, []).append(s)
    people = {w: own for w, own in every.items() if any(s.delivery.must_answer for s in own)}
    return {
        "channels": {c: dict(states) for c, states in sorted(channels.items())},
        "of": len(every),
        "reached": sum(all(map(arrived, own)) for own in every.values()),
        "missed": sum(any(missed(s, now) for s in own) for own in every.values()),
        "must": len(people),
        "answered": sum(all(map(arrived, own)) for own in people.values()),
        "must_missed": sorted(w for w, own in people.items() if any(missed(s, now) for s in own)),
        "rev": rev,
    }


def missed_people(district: District, trail: Trail) -> tuple[int, int]:
    """Who was not reached in the whole district: people who must answer, each once wherever they
    answer for, and the others, once an area."""
    rows = [trail.reached.rows[a] for a in district.areas if a in trail.reached.rows]
    must = {who for r in rows for who in r["must_missed"]}
    return len(must), sum(r["missed"] - len(r["must_missed"]) for r in rows)


def who(district: District, view: View, reached: Reached, area: str, now: int) -> Missed:
    """Who was not reached in an area, those who must answer first: opaque ids, no name or number.
    And who is still under way."""
    said = reached.current(view, area, now)
    rows = [_person(district, s) for s in said if missed(s, now)]
    rows.sort(key=lambda r: (not r["must"], not r["node"], r["who"]))
    under_way = sum(not (arrived(s) or missed(s, now) or s.state == "superseded") for s in said)
    return {"missed": rows, "under_way": under_way}


def _person(district: District, s: Sent) -> Unreached:
    d = s.delivery
    contact, node = district.contacts.get(d.recipient), district.nodes.get(d.recipient)
    return {
        "id": d.id,
        "hazard": HAZARD_ZH.get(d.hazard, d.hazard),
        "hazard_en": HAZARD_EN.get(d.hazard, d.hazard),
        "who": d.recipient,
        "node": node.name if node else "",
        "role": contact.role if contact else "node" if node else "",
        "category": d.category,
        "must": d.must_answer,
        "channel": s.channel,
        "ways": [r.channel for r in d.routes],
        "state": s.state,
        "at": s.at,
        "again": d.again if d.asked_by else 0,
        "why": s.detail,
        "open": d.expires_at,
    }
