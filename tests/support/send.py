"""What several tests use, by the one it was written for: send."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from config.records.channels import Channels
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Mark
from dispatch.records import Delivery, DeliveryRecord, Receipt, Route
from dispatch.send.stage import run_send
from stream.log.open import open_log
from stream.log.port import Out
from stream.mqtt.broker import start_broker
from stream.records import DeadLetter, Record, Run, encode
from tests.support.servers import free_port

ROOT = Path(__file__).parents[2]
T0 = 1_753_567_800_000


@pytest.fixture(scope="module")
def district() -> District:
    loaded = load(ROOT / "config" / "yanqing")
    return msgspec.structs.replace(loaded, channels=Channels(attempt_timeout_s=60))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = start_broker(tmp_path_factory.mktemp("broker"), free_port())
    yield found.url
    found.stop()


def run_of(kind: str = "exercise") -> Run:
    return Run(
        name="live" if kind == "live" else "exercise",
        kind=kind,  # type: ignore[arg-type]
        district="yanqing",
        config="c",
        start_at=T0,
    )


def delivery(n: int, recipient: str, *channels: str, **changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": f"d{n}",
        "alert": "x",
        "version": 1,
        "area": "A01",
        "hazard": "flash_flood",
        "level": Level.RED,
        "action": Action.MOVE,
        "msg_type": "alert",
        "status": "exercise",
        "recipient": recipient,
        "audience": "public",
        "routes": tuple(
            Route(channel=c, text="（演练）立即转移，收到请回复", title="山洪") for c in channels
        ),
        "queued_at": T0,
        "deadline_at": T0 + 300_000,
        "expires_at": T0 + 3_600_000,
    }
    return Delivery(**{**fields, **changes})


class Stage:
    """run_send in a thread over a log of its own."""

    def __init__(
        self, folder: Path, district: District, broker: str, run: Run, carrier_url: str = ""
    ) -> None:
        self.folder, self.district, self.broker, self.run = folder, district, broker, run
        self.carrier_url = carrier_url
        self.log = open_log(f"sqlite:///{folder}", run.name, district.id, district.partitions)
        self.console: list[str] = []
        self.failed: BaseException | None = None
        self.stop_event, ready = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._work, args=(ready,))
        self.thread.start()
        assert ready.wait(120), self.failed

    def _work(self, ready: threading.Event) -> None:
        try:
            run_send(
                self.district,
                self.run,
                self.log,
                self.broker,
                self.folder,
                self.stop_event,
                carrier_url=self.carrier_url,
                now=now_ms,
                ready=ready,
                on_console=self.console.append,
            )
        except BaseException as e:
            self.failed = e
            raise

    def put(self, *records: Record) -> None:
        self.log.append([Out("deliveries", "k", encode(r)) for r in records])

    def marks(self, clock_at: int) -> None:
        self.put(
            *(Mark(group=g, clock_at=clock_at, complete_at=clock_at) for g in self.district.groups)
        )

    def records(self) -> list[Any]:
        return [
            msgspec.json.decode(e.value, type=DeliveryRecord)
            for e in self.log.read("deliveries", 0, 0, 100_000)
        ]

    def states(self, of: str) -> list[str]:
        return [r.state for r in self.records() if isinstance(r, Receipt) and r.delivery == of]

    def letters(self) -> list[str]:
        return [
            msgspec.json.decode(e.value, type=DeadLetter).reason
            for e in self.log.read("dead-letters", 0, 0)
        ]

    def close(self) -> None:
        self.stop_event.set()
        self.thread.join(120)
        assert not self.thread.is_alive()
        self.log.close()
        assert self.failed is None


def now_ms() -> int:
    return int(time.time() * 1000)


def until(check: Callable[[], Any], what: str, timeout_s: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
