"""The fold that `fengsui status` keeps beside the log: never another than the whole log's, and thrown away
where it does not fit."""

import json
import lzma
import random
import subprocess
import sys
from pathlib import Path

import pytest

from config.records.district import District
from fengsui.run.setup import make_setup
from fengsui.status import look
from fengsui.status.look import FILE, Look, look_at, look_of
from ingest.observation import Flag, Observation, Observations
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.log.sqlite import SqliteLog
from stream.records import Run, encode
from tests.support.districts import yanqing

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads(lzma.decompress((ROOT / "tests" / "golden" / "storm.json.xz").read_bytes()))
DISTRICT: District = yanqing()
TOPICS = ("observations", "cases", "alerts", "deliveries")
RUN = "exercise-look"


def made(chance: random.Random) -> list[Out]:
    """Records of every kind, and readings of all stations among them, in any order; a station's stand
    in one partition, as a watch group's do."""
    found = [
        Out(t, "one", body.encode())
        for t in TOPICS
        for body in GOLDEN["records"][t]
        if json.loads(body)["type"] != "observations"
    ]
    stations = list(DISTRICT.stations.values())
    for n in range(160):
        some = [
            Observation(
                station=s.id,
                quantity=s.quantity,
                observed_at=T0 + chance.randrange(90) * 60_000,
                value=chance.randrange(40),
                flag=Flag.GOOD,
            )
            for s in stations[n % 7 :: 7]
        ]
        body = encode(Observations.of(f"G{n % 7}", T0 + n, some[:5]))
        found.append(Out("observations", f"G{n % 7}", body))
    chance.shuffle(found)
    return found


T0 = 1_753_524_000_000
ALL = made(random.Random(20261129))


@pytest.fixture(autouse=True)
def every_look_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "_WORTH", 1)


def opened(folder: Path, partitions: int = 4) -> Log:
    folder.mkdir(exist_ok=True)
    return open_log(f"sqlite:///{folder}", RUN, DISTRICT.id, partitions, {})


def run(name: str = RUN) -> Run:
    kind = "live" if name == "live" else "exercise"
    return Run(name=name, kind=kind, district=DISTRICT.id, config="", start_at=1, speed=0)  # type: ignore[arg-type]


def kept(log: Log, folder: Path) -> Look:
    return look_of(log, run(), folder)


def whole(log: Log) -> Look:
    return look_of(log, run())


def test_looks_in_between_say_what_one_at_the_end_says(tmp_path: Path) -> None:
    log, at = opened(tmp_path), 0
    for size in (1, 7, 30, 60, 2, 1, 200):
        log.append(ALL[at : at + size])
        at += size
        assert kept(log, tmp_path) == whole(log)
    assert at > len(ALL)
    assert kept(log, tmp_path).view.readings > 100 and (tmp_path / FILE).exists()
    log.close()


def test_only_what_is_new_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = opened(tmp_path)
    log.append(ALL)
    kept(log, tmp_path)
    seen: list[object] = []
    monkeypatch.setattr(Look, "take", lambda _, topic, record: seen.append((topic, record)))
    log.append(ALL[:3])
    kept(log, tmp_path)
    assert len(seen) == 3
    log.close()


def damage(file: Path) -> None:
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(body)


@pytest.mark.parametrize("spoil", ["cut", "bit", "empty", "other", "folder"])
def test_a_file_that_is_not_whole_is_thrown_away(tmp_path: Path, spoil: str) -> None:
    log, file = opened(tmp_path), tmp_path / FILE
    log.append(ALL)
    kept(log, tmp_path)
    if spoil == "bit":
        damage(file)
    elif spoil == "folder":
        file.unlink()
        file.mkdir()
    else:
        body = file.read_bytes()
        file.write_bytes({"cut": body[:-9], "empty": b"", "other": b"\xff\xfe{}"}[spoil])
    assert kept(log, tmp_path) == whole(log)
    log.close()


def test_another_log_under_the_same_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append(ALL)
    kept(log, tmp_path)
    log.close()
    for name, records in (
        ("changed", [*ALL[:-1], ALL[-1]._replace(value=ALL[0].value)]),  # the last is another
        ("shorter", ALL[:50]),
        ("empty", []),
        ("longer", [*ALL[5:], *ALL]),
    ):
        place = tmp_path / name
        other = opened(place)
        other.append(records)
        (place / FILE).write_bytes((tmp_path / FILE).read_bytes())
        assert kept(other, place) == whole(other), name
        other.close()


def test_a_fold_of_another_program_run_or_partitioning_is_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opened(tmp_path)
    log.append(ALL)
    first = kept(log, tmp_path)
    read: list[str] = []
    take = Look.take

    def counted(self: Look, topic: str, record: object) -> None:
        read.append(topic)
        take(self, topic, record)

    monkeypatch.setattr(Look, "take", counted)
    assert kept(log, tmp_path) == first and not read
    look_of(log, run("exercise-other"), tmp_path)
    assert len(read) == len(ALL)
    kept(log, tmp_path)
    read.clear()
    monkeypatch.setattr(look, "_code", lambda: b"another build")
    assert kept(log, tmp_path) == first and len(read) == len(ALL)
    read.clear()
    monkeypatch.setattr(look, "FORMAT", look.FORMAT + 1)
    assert kept(log, tmp_path) == first and len(read) == len(ALL)
    log.close()
    other = opened(tmp_path / "more", partitions=9)
    other.append(ALL)
    (tmp_path / "more" / FILE).write_bytes((tmp_path / FILE).read_bytes())
    assert kept(other, tmp_path / "more") == whole(other)
    other.close()


def test_what_has_passed_its_retention_is_remembered_and_what_nobody_can_check_is_not(
    tmp_path: Path,
) -> None:
    log = opened(tmp_path)
    assert isinstance(log, SqliteLog)
    log.append(ALL)
    before = kept(log, tmp_path)
    newest = (
        "SELECT MAX(pos) FROM records r WHERE r.topic = records.topic AND r.part = records.part"
    )
    with log.transaction() as db:
        db.execute(f"DELETE FROM records WHERE topic = 'observations' AND pos < ({newest})")
    after = kept(log, tmp_path)
    assert after.view.last_seen == before.view.last_seen
    assert len(whole(log).view.last_seen) < len(before.view.last_seen)
    with log.transaction() as db:
        db.execute("DELETE FROM records WHERE topic = 'observations'")
    assert kept(log, tmp_path) == whole(log)
    log.close()


def test_a_folder_that_takes_no_file_costs_the_look_nothing(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append(ALL)
    assert kept(log, tmp_path / "away") == whole(log)
    log.close()


def test_a_small_log_is_read_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "_WORTH", len(ALL) + 1)
    setup = make_setup(DISTRICT, RUN, tmp_path)
    log = opened(setup.folder)
    log.append(ALL)
    look_at(setup, log)
    assert not (setup.folder / FILE).exists()
    log.close()


def test_the_digest_covers_whatever_takes_part_in_the_fold() -> None:
    code = (
        "import sys, fengsui.status.cap_exchange, console.model.view, console.model.follow\n"
        "print(*[m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)], sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    used = {Path(f).resolve() for f in done.stdout.splitlines()}
    ours = {
        f
        for package in ("config", "stream", "ingest", "detectors", "dispatch", "console", "fengsui")
        for f in (ROOT / package).rglob("*.py")
        if f.name != "__init__.py"
    }
    assert len(used & ours) > 20
    assert not (used & ours) - {f.resolve() for f in look._files()}
