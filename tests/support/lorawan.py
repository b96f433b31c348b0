"""LoRaWAN devices of a district, and what comes in from them."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from config.read.codecs import read_codecs
from config.records.devices.lorawan import LorawanRow
from config.records.district import District
from ingest.observation import Observation, Observations
from ingest.stage import Intake
from simulators.telemetry.lorawan import SERVERS, Radioed
from stream.disk.blobs import FrameStore
from stream.log.port import Out
from stream.mqtt.client import Message
from stream.records import DeadLetter, Run
from stream.wall_clock import now_ms
from tests.support.districts import yanqing

LEVEL, BUCKET, RADAR, OWN, LPP = (f"24E124126A14{n:04X}" for n in range(5))
ROWS = (
    LorawanRow(station="S01", dev_eui=LEVEL, codec="milesight-em500-udl", offset=523.4),
    LorawanRow(station="R01", dev_eui=BUCKET, codec="decentlab-tbrg", scale=0.2),
    LorawanRow(station="S02", dev_eui=RADAR.lower(), codec="milesight-em410-rdl", offset=10.0),
    LorawanRow(station="S03", dev_eui=OWN, codec="object", field="water.level", offset=1.0),
    LorawanRow(station="R02", dev_eui=LPP, codec="cayenne-lpp", field="analog_input_3", scale=1.0),
)


@cache
def district(rows: tuple[LorawanRow, ...] = ROWS) -> District:
    """Yanqing with LoRaWAN devices; the bucket's station has a counter."""
    found = yanqing()
    counter = replace(found.stations["R01"], quantity="rain_counter")
    codecs = read_codecs(Path("nowhere"), {r.codec for r in rows}, [])
    return replace(found, stations={**found.stations, "R01": counter}, lorawan=rows, codecs=codecs)


def intake(folder: Path, *, run: str = "live", of: District | None = None) -> Intake:
    mine = of or district()
    kind = "live" if run == "live" else "exercise"
    found = Intake(
        mine,
        Run(name=run, kind=kind, district=mine.id, config="c", start_at=now_ms()),  # type: ignore[arg-type]
        FrameStore(folder),
    )
    found.clock_at = now_ms()
    return found


def message(topic: str, payload: bytes) -> Message:
    return Message(topic, payload, 1, 1)


def by(server: str, *sent: Radioed) -> list[Message]:
    return [message(*SERVERS[server](one)) for one in sent]


class Came:
    """What came of messages: readings of whatever group once, and dead letters."""

    def __init__(self, outs: Iterable[Out]) -> None:
        self.readings: list[Observation] = []
        self.letters: list[DeadLetter] = []
        observations = msgspec.json.Decoder(Observations)
        letters = msgspec.json.Decoder(DeadLetter)
        for out in outs:
            if out.topic == "dead-letters":
                self.letters.append(letters.decode(out.value))
                continue
            for o in observations.decode(out.value).items:
                if o not in self.readings:
                    self.readings.append(o)

    def of(self, station: str, quantity: str) -> list[Observation]:
        return [o for o in self.readings if (o.station, o.quantity) == (station, quantity)]

    def values(self, station: str, quantity: str) -> list[int]:
        return [o.value for o in self.of(station, quantity)]

    @property
    def reasons(self) -> list[str]:
        return [x.reason for x in self.letters]
