"""Whom a node believes, and what time it is there: key sets and beacons. Pure.

A node is given the centre's public root key when it is set up, and nothing else it must keep
secret for that. A beacon can only take a node's time forward, unless it repeats the nonce of the
node's own hello: a beacon that was recorded, or held back on the way, moves nothing.
"""

from typing import NamedTuple

import msgspec

from dispatch.nodes.protocol import Beacon, KeySet, Kind, Mandate, Refusal, Refused, opened

# a node's oscillator is off by less in a day; a beacon so much behind its reckoning still counts
_DRIFT_MS = 120_000
# how often the time heard is written down: what a replay could win after a restart
KEPT_MS = 60_000


class Moment(NamedTuple):
    """What the node's own clocks say, ms: one that only runs, and the calendar (None: no battery)."""

    run: int
    calendar_at: int | None


class NodeTrust(msgspec.Struct, kw_only=True):
    """Durable. root: 64 hex digits."""

    root: str
    keys: KeySet
    floor_at: int = 0  # it is not earlier: the centre said so


class Time(msgspec.Struct, kw_only=True):
    """Of this start. `heard_run` is when the centre was last heard for sure."""

    started_run: int
    heard_run: int
    nonce: str = ""
    beacon_at: int = 0
    beacon_run: int = 0


def active(trust: NodeTrust, at: int) -> list[bytes]:
    """The senders' keys that count."""
    return [bytes.fromhex(k.public) for k in trust.keys.keys if counts(k.until_at, at)]


def counts(until_at: int | None, at: int) -> bool:
    """Is a key with this end still one?"""
    return until_at is None or at < until_at


def reckoned(trust: NodeTrust, time: Time, moment: Moment) -> tuple[int, bool]:
    """What time it is (ms), and whether that is sure. Where it is not, it is no earlier."""
    if time.beacon_at:
        return max(trust.floor_at, time.beacon_at + moment.run - time.beacon_run), True
    if moment.calendar_at is not None:
        return max(trust.floor_at, moment.calendar_at), True
    return trust.floor_at + moment.run - time.started_run, False


def hear_beacon(
    trust: NodeTrust, time: Time, moment: Moment, payload: bytes, kind: Kind
) -> Refusal | None:
    """Set the time by a beacon, or say why not."""
    at, sure = reckoned(trust, time, moment)
    found = opened(payload, Beacon, kind, active(trust, at))
    if isinstance(found, Refused):
        return found.reason
    fresh = bool(time.nonce) and found.nonce == time.nonce
    if found.beacon_at <= (trust.floor_at if fresh else max(trust.floor_at, time.beacon_at)):
        return "older"
    if not fresh and (not sure or found.beacon_at < at - _DRIFT_MS):
        return "older" if sure else "no_time"
    time.beacon_at, time.beacon_run, time.heard_run = found.beacon_at, moment.run, moment.run
    if fresh:
        time.nonce = ""
    if found.beacon_at >= trust.floor_at + KEPT_MS:
        trust.floor_at = found.beacon_at
    return None


def hear_keys(trust: NodeTrust, payload: bytes, kind: Kind) -> Refusal | None:
    """Take a newer key set, or say why not. It also sets the floor of the time: a centre whose clock
    was far ahead for a while makes itself heard again by a new set."""
    found = opened(payload, KeySet, kind, [bytes.fromhex(trust.root)])
    if isinstance(found, Refused):
        return found.reason
    if found.version <= trust.keys.version:
        return "older"
    try:
        whole = all(len(bytes.fromhex(k.public)) == 32 for k in found.keys)
        whole &= len(bytes.fromhex(found.root)) in (0, 32)
    except ValueError:
        whole = False
    if not whole:
        return "bad_payload"
    trust.keys, trust.floor_at = found, found.issued_at
    trust.root = found.root or trust.root
    return None


def hear_mandate(
    trust: NodeTrust, payload: bytes, kind: Kind, node: str, at: int
) -> tuple[Mandate, str] | Refused:
    """A mandate and the key (hex) that signed it: it counts as long as that key does."""
    for key in active(trust, at):
        found = opened(payload, Mandate, kind, [key])
        if isinstance(found, Mandate):
            return (found, key.hex()) if found.node == node else Refused("wrong_node", found)
        if found.reason != "bad_signature":
            return found
    return Refused("bad_signature")
