"""Who may say and hear what over MQTT: one table, made from a district's own, for every broker
(the embedded one, and what `fengsui broker-config` writes).

A user is one connection: the broker takes its name as the id of its session too, so nobody can take
another's session, and what waits there stays with whom it is for. Pure.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from config.records.devices.things import ThingRow
from config.records.district import District
from stream.mqtt import sparkplug

INGEST, SEND, SIMULATOR, SELF_TEST, CARRIER = (
    "fengsui-ingest", "fengsui-send", "fengsui-simulator", "fengsui-self-test", "carrier",
)  # fmt: skip
# the simulator as a gateway: many readings in one message; only an exercise takes it
SIMULATED = "simulator"
DIALECTS = ("json", "senml", "nowcast", "sl651", "szy206")  # the payloads that a gateway may bring
# network servers of LoRaWAN devices: the user, the topics it writes and reads, as it publishes them
LORAWAN = {
    "lorawan-chirpstack": (
        "application/+/device/+/event/+",
        "application/+/device/+/command/+",
    ),
    "lorawan-things-stack": ("v3/+/devices/+/#", ""),
}
THINGS = "v1.1/"  # the tree of OGC SensorThings 1.1 (18-088, its MQTT extension)
NODE_TELLS = ("ack", "hello", "report")  # to send; its status goes to ingest
_READINGS = ("station/#", "gateway/#", "node/+/status", "person/#")


class Rights(NamedTuple):
    """Filters of topics of one user."""

    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

    def __or__(self, other: "Rights") -> "Rights":
        return Rights(
            tuple(dict.fromkeys(self.write + other.write)),
            tuple(dict.fromkeys(self.read + other.read)),
        )


def member(name: str) -> str:
    """The user of one of several ingests, which share the readings."""
    return f"{INGEST}-{name}"


def adapter(name: str) -> str:
    """The user of one of several adapters of carriers or apps."""
    return f"{CARRIER}-{name}"


def rights(
    district: District, run: str, members: Iterable[str] = (), adapters: Iterable[str] = ()
) -> dict[str, Rights]:
    """Every user of the broker of a run, by name. members: of the group of ingests that share the
    readings; adapters: beside the one that is called `carrier`."""
    at = f"fengsui/{run}/{district.id}"

    def of(write: Iterable[str] = (), read: Iterable[str] = ()) -> Rights:
        return Rights(tuple(f"{at}/{t}" for t in write), tuple(f"{at}/{t}" for t in read))

    live = run == "live"
    heard = _READINGS + ("source/#",) * bool(district.sources.source) + ("clock",) * (not live)
    ingest = of(("down/+",) if live else ("down/+", "taken"), heard) | _of_lorawan(
        district, at, live
    )
    of_things = district.things if live else ()  # an exercise hears no server of others
    if common := things_common(of_things):
        ingest |= Rights((), common)
    for row in of_things:
        ingest |= Rights((), things_topic(row.datastream))
    edges = _edges(district) if live else {}  # an exercise hears no edge node, and commands none
    for group, edge in edges:
        ingest |= Rights((sparkplug.command(group, edge),), sparkplug.said(group, edge))
    if live and district.sparkplug_host:
        host = sparkplug.state(district.sparkplug_host)
        ingest |= Rights((host,), (host,))
    # it makes out who a number is, and names the opaque id
    carrier = of(("receipt/#", "person/+/sms", "person/+/report"))
    told = ("node/+/command", "beacon", "keys", "cap/#") + ("clock/passed",) * (not live)
    found = {
        INGEST: ingest,
        SEND: of(told, (*(f"node/+/{w}" for w in NODE_TELLS), "receipt/#"))
        | _of_wis2(district, live),
        SELF_TEST: of(("node/+/command",)),
        CARRIER: carrier,
    }
    found |= dict.fromkeys(map(member, members), ingest)
    found |= dict.fromkeys(map(adapter, adapters), carrier)
    if not live:
        found[SIMULATOR] = of(("#",), ("#",))
    for user, (writes, reads) in LORAWAN.items() if live and district.lorawan else ():
        found[user] = Rights((writes, f"{at}/{writes}"), (reads,) * bool(reads))
    for source in district.sources.source:
        found[f"source-{source}"] = of((f"source/{source}/cap",))
    for name, more in _devices(district):
        found[name] = found.get(name, Rights()) | of(*more)
    for row in of_things:
        own = Rights((*things_topic(row.datastream), *common))
        found[row.user] = found.get(row.user, Rights()) | own
    for (group, edge), name in edges.items():
        own = Rights(sparkplug.said(group, edge), sparkplug.heard(group, edge))
        found[name] = found.get(name, Rights()) | own
    return found


def _of_wis2(district: District, live: bool) -> Rights:
    """Where our CAP messages are announced to WMO's information system; an exercise announces none."""
    centre = district.channels.wis2.centre_id if live else ""
    return Rights((f"origin/a/wis2/{centre}/#",) if centre else ())


def _of_lorawan(district: District, at: str, live: bool) -> Rights:
    """What ingest hears of network servers; an exercise only under its own prefix."""
    topics = [writes for writes, _ in LORAWAN.values()] if district.lorawan else []
    return Rights(read=(*(f"{at}/{t}" for t in topics), *(topics if live else ())))


def things_common(rows: Sequence[ThingRow]) -> tuple[str, ...]:
    """The topic of Observations that name their Datastream themselves. Nobody can see there who speaks: of two
    publishers each could speak for the other's stations, so it is there for one alone."""
    return (f"{THINGS}Observations",) * (len({row.user for row in rows}) == 1)


def things_topic(datastream: str) -> tuple[str, ...]:
    """Where Observations of a Datastream are: an id that is a text stands in quotes (OData), and not every
    device writes them."""
    plain = f"{THINGS}Datastreams({datastream})/Observations"
    if datastream.isdecimal():
        return (plain,)
    return f"{THINGS}Datastreams('{datastream}')/Observations", plain


def _edges(district: District) -> dict[tuple[str, str], str]:
    """(group, edge node) of sparkplug.csv -> its user."""
    return {(row.group, row.edge): row.who for row in district.sparkplug}


def _devices(district: District) -> Iterable[tuple[str, tuple[tuple[str, ...], tuple[str, ...]]]]:
    """What each device writes and reads; a station may be a gateway for others as well."""
    for s in district.stations.values():
        what = "frame/+" if s.quantity == "frame" else s.quantity
        yield s.id, ((f"station/{s.id}/{what}", f"station/{s.id}/battery"), ())
    for n in district.nodes:
        tells = tuple(f"node/{n}/{t}" for t in (*NODE_TELLS, "status"))
        yield n, ((*tells, f"station/{n}/battery"), (f"node/{n}/command", "beacon", "keys"))
    for gateway in district.gateways or ():
        brings = tuple(f"gateway/{gateway}/{d}" for d in DIALECTS)
        yield gateway, (brings, (f"down/{gateway}",))  # what ingest answers to telemetry stations


def matches(allowed: str, topic: str) -> bool:
    """Does a filter of the table cover a topic, or a filter that somebody wants to subscribe to
    (MQTT 3.1.1, section 4.7)? A wider filter than the table's is not covered."""
    have, want = topic.split("/"), allowed.split("/")
    for n, level in enumerate(want):
        if level == "#":
            return True
        if n >= len(have) or have[n] == "#" or (level != "+" and level != have[n]):
            return False
    return len(have) == len(want)
