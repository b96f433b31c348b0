"""Pictures are deleted when their time is over, and never one that evidence of an open warning names or that
an investigation holds, whatever instant a crash comes at."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.language import en
from config.load import ConfigError, load
from config.records.devices.pictures import PEOPLE, PictureRule
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection, Evidence
from dispatch.records import Alert, Custody
from fengsui.pictures import index
from fengsui.pictures.index import FILE, PictureIndex
from fengsui.pictures.keeping import DAY_MS, Named, Shown, kept_for, rules
from fengsui.pictures.lines import asks, picture_lines
from fengsui.pictures.sweep import Sweep
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from ingest.observation import Flag, Observation, Observations, PersonSays
from stream.disk.blobs import FrameStore
from stream.log.port import Log, Out
from stream.records import encode
from stream.stages.run_identity import begin
from tests.support.districts import yanqing
from tests.support.examples import examples

NOW = 1_785_024_000_000
HAZARD = PictureRule(purpose="hazard", cameras=("V01", "V03"), days=30, basis="x")
REPORTS = PictureRule(purpose="reports", cameras=(PEOPLE,), days=10, evidence_days=60, basis="x")


def days(n: float) -> int:
    return round(n * DAY_MS)


class Room:
    """A run with pictures: what is put in at a time, and what is left after a look."""

    def __init__(self, folder: Path, of: District) -> None:
        self.of, self.folder = of, folder
        setup = make_setup(of, "live", folder)
        self.log: Log = open_run_log(setup)
        begin(self.log, setup.run)
        self.frames = FrameStore(folder / "frames")
        self.index = PictureIndex(folder / FILE)
        self.now = NOW

    def close(self) -> None:
        self.index.close()
        self.log.close()

    def picture(self, station: str, age: int, body: bytes) -> str:
        """A camera's, so old; or a person's photograph."""
        digest, at = self.frames.put(body), NOW - age
        self.date(digest, at)
        if station == PEOPLE:
            says = PersonSays(
                id=digest, person="p", role="observer", area="A01", what="report_flood",
                said_at=at, received_at=at, way="form", photo=digest,
            )  # fmt: skip
            self.log.append([Out("observations", "g", encode(says))])
            return digest
        one = Observation(
            station=station, quantity="frame", observed_at=at, value=9, ref=digest, flag=Flag.GOOD
        )
        self.log.append([Out("observations", "g", encode(Observations.of("g", at, [one])))])
        return digest

    def date(self, digest: str, at: int) -> None:
        path = self.path(digest)
        os.utime(path, (at / 1000, at / 1000))

    def path(self, digest: str) -> Path:
        return self.folder / "frames" / digest[:2] / f"{digest}.jpg"

    def says(self, digest: str, age: int, area: str = "A01") -> None:
        """A rule's evidence names it."""
        found = Detection(
            id=f"{digest}{age}", area=area, hazard="flash_flood", rule="r", level=Level.YELLOW,
            action=Action.NONE, detected_at=NOW - age, since_at=NOW - age,
            evidence=(Evidence(station="V01", quantity="frame", value=1.0, frames=(digest,)),),
        )  # fmt: skip
        self.log.append([Out("cases", area, encode(found))])

    def warning(self, state: str, version: int = 1, area: str = "A01") -> None:
        one = Alert(
            id=f"w{area}", version=version, area=area, hazard="flash_flood", status="actual",
            msg_type="cancel" if state == "cancelled" else "alert", level=Level.YELLOW,
            action=Action.NONE, proposed_level=Level.YELLOW, proposed_action=Action.NONE,
            public=True, state=state, incident="i", sent_at=NOW, onset_at=NOW,  # type: ignore[arg-type]
            expires_at=NOW + DAY_MS, reason="x",
        )  # fmt: skip
        self.log.append([Out("alerts", area, encode(one))])

    def sweep(self) -> int:
        return Sweep(self.of, self.log, self.index, self.frames, lambda: self.now).once()

    def has(self, *digests: str) -> list[bool]:
        return [self.frames.get(d) is not None for d in digests]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with closing(Room(tmp_path, replace(yanqing(), pictures=(HAZARD, REPORTS)))) as found:
        yield found


def test_by_purpose(room: Room) -> None:
    old, new = room.picture("V01", days(30.1), b"1"), room.picture("V01", days(29.9), b"2")
    photo, fresh = room.picture(PEOPLE, days(11), b"3"), room.picture(PEOPLE, days(9), b"4")
    other = room.picture("V07", days(300), b"5")  # nobody has said how long
    assert room.sweep() == 2
    assert room.has(old, new, photo, fresh, other) == [False, True, False, True, True]
    assert room.sweep() == 0
    room.now += days(1)
    assert room.sweep() == 1
    assert room.has(new) == [False]
    found = room.index.deleted()
    assert (found.many, found.bytes, found.at) == (3, 3, room.now)


def test_evidence_stays_and_that_of_an_open_warning_whatever_the_rule_says(room: Room) -> None:
    seen, photo = room.picture("V01", days(400), b"1"), room.picture(PEOPLE, days(100), b"2")
    open_ = room.picture(PEOPLE, days(100), b"3")
    room.says(seen, days(400))
    room.says(photo, days(100), "A02")  # evidence_days 60 are over
    room.says(open_, days(100), "A03")
    room.warning("released", area="A03")
    assert room.sweep() == 1
    assert room.has(seen, photo, open_) == [True, False, True]
    assert room.index.deleted().held == 2
    room.warning("cancelled", 2, "A03")
    assert room.sweep() == 1
    assert room.has(seen, open_) == [True, False]


@pytest.mark.parametrize("state", ["proposed", "returned", "held", "rejected", "released"])
def test_a_warning_that_has_not_ended_is_open(state: str, room: Room) -> None:
    photo = room.picture(PEOPLE, days(100), b"1")
    room.says(photo, days(99))
    room.warning(state)
    assert room.sweep() == 0
    room.warning("expired", 2)
    assert room.sweep() == 1


def test_while_an_investigation_holds_the_run_nothing_is_deleted(room: Room) -> None:
    one = room.picture("V01", days(40), b"1")
    held = [True]
    sweep = Sweep(room.of, room.log, room.index, room.frames, lambda: NOW, lambda: held[0])
    assert sweep.once() == 0
    assert room.has(one) == [True]
    held[0] = False
    assert sweep.once() == 1


def test_a_lock_or_evidence_that_comes_while_pictures_are_deleted_counts(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_A_PAGE", 1)
    found = [room.picture("V01", days(50 - n), bytes([n])) for n in range(4)]
    held = [False]
    drop = room.frames.drop

    def meanwhile(digest: str, before: int) -> int | None:
        size = drop(digest, before)
        if digest == found[0]:
            room.says(found[1], 0)
        if digest == found[2]:
            held[0] = True
            said = Custody(
                act="lock", incident="i", by="p", reason="x", until_at=NOW * 2, said_at=NOW
            )
            room.log.append([Out("cases", "custody", encode(said))])
        return size

    room.frames.drop = meanwhile  # type: ignore[method-assign]
    sweep = Sweep(room.of, room.log, room.index, room.frames, lambda: NOW, lambda: held[0])
    assert sweep.once() == 2
    assert room.has(*found) == [False, True, False, True]


def test_one_that_cannot_be_deleted_keeps_no_other(room: Room) -> None:
    one, two = room.picture("V01", days(41), b"1"), room.picture("V01", days(40), b"2")
    leaving = room.path(one).with_suffix(".leaving")
    leaving.mkdir()  # in its way
    (leaving / "x").touch()
    with pytest.raises(OSError):
        room.sweep()
    assert room.has(two) == [False] and room.path(one).exists()
    (leaving / "x").unlink()
    leaving.rmdir()
    assert room.sweep() == 1 and room.has(one) == [False]


def test_the_same_picture_of_two_times_is_as_young_as_the_younger(room: Room) -> None:
    one = room.picture("V01", days(40), b"1")
    assert room.picture("V03", days(20), b"1") == one
    room.date(one, NOW - days(40))
    assert room.sweep() == 0
    room.now += days(11)
    assert room.sweep() == 1


def test_one_that_comes_again_at_that_moment_is_not_deleted(room: Room) -> None:
    """Its file was put again, and the log does not know of it yet."""
    one = room.picture("V01", days(40), b"1")
    room.frames.put(b"1")
    assert room.sweep() == 0
    assert room.has(one) == [True]
    room.date(one, NOW - days(40))
    drop = room.frames.drop

    def again(digest: str, before: int) -> int | None:
        found = drop(digest, before)
        assert room.frames.put(b"1") == digest  # just behind it
        return found

    room.frames.drop = again  # type: ignore[method-assign]
    room.sweep()
    assert room.has(one) == [True]


class Down(Exception):
    """The machine went down."""


@pytest.mark.parametrize("instant", ["before", "renamed", "dropped", "gone"])
def test_a_crash_at_any_instant_leaves_what_may_go_on(
    instant: str, room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    olds = [room.picture("V01", days(40 + n), b"%d" % n) for n in range(3)]
    kept = room.picture("V01", days(40), b"kept")
    room.says(kept, days(40))

    def after(then: Callable[..., Any]) -> Callable[..., Any]:
        def first(*args: Any) -> Any:
            then(*args)
            raise Down

        return first

    with monkeypatch.context() as m:
        if instant == "before":
            m.setattr(FrameStore, "drop", after(lambda *_: None))
        elif instant == "renamed":
            m.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(Down()))
        elif instant == "dropped":
            m.setattr(FrameStore, "drop", after(FrameStore.drop))
        else:
            m.setattr(PictureIndex, "gone", after(PictureIndex.gone))
        with pytest.raises(Down):
            room.sweep()
    room.close()
    with closing(Room(tmp_path, room.of)) as again:
        if instant == "renamed":  # nobody misses it, and an investigation may still come
            assert all(again.has(*olds))
        again.sweep()
        assert again.has(*olds, kept) == [False, False, False, True]
        left = [p.name for p in (tmp_path / "frames").rglob("*") if p.is_file()]
        assert left == [f"{kept}.jpg"]
    room.log, room.index = again.log, again.index


def test_what_the_log_has_forgotten_is_no_reason_to_delete(room: Room) -> None:
    """Of pictures of before its oldest record nobody knows which were evidence."""
    before, after = room.picture("V01", days(60), b"1"), room.picture("V01", days(40), b"2")
    named = room.picture("V01", days(39), b"3")
    room.says(named, days(50))  # the oldest that is kept
    starts = room.log.starts
    room.log.starts = lambda t: [n + (t == "cases") for n in starts(t)]  # type: ignore[method-assign]
    assert room.sweep() == 1
    assert room.has(before, after, named) == [True, False, True]
    assert room.index.deleted().blind == NOW - days(49)
    lines = " ".join(en(x) for x in picture_lines(room.of, room.folder))
    assert "the log knows no more" in lines
    room.log.starts = starts  # type: ignore[method-assign]
    assert room.sweep() == 0
    assert room.has(before) == [True]


_SOURCES = st.sampled_from(["V01", "V03", PEOPLE, "V07"])


@given(
    st.lists(st.tuples(_SOURCES, st.integers(0, 100)), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(["A01", "A02"]), st.integers(0, 100)), max_size=2),
    st.booleans(),
)  # fmt: skip
@examples()
def test_nothing_is_given_up_that_any_reason_keeps(
    shown: list[tuple[str, int]], named: list[tuple[str, int]], open_: bool
) -> None:
    of = rules(replace(yanqing(), pictures=(HAZARD, REPORTS)))
    one = [Shown(s, NOW - days(d)) for s, d in shown]
    evidence = [Named(a, "flash_flood", NOW - days(d)) for a, d in named]
    warnings = {("A01", "flash_flood")} if open_ else set()
    why = kept_for(one, evidence, warnings, of, NOW)
    if not why:
        assert all(s in of for s, _ in shown)
        assert all(d >= of[s].days for s, d in shown)
        assert not (open_ and any(a == "A01" for a, _ in named))
        if named:
            assert all(s == PEOPLE for s, _ in shown)  # of cameras evidence stays for ever
            assert all(d >= 60 for _, d in named)


def test_an_asterisk_is_every_camera_that_no_row_names() -> None:
    rest = PictureRule(purpose="rest", cameras=("*",), days=7, basis="x")
    of = replace(yanqing(), pictures=(rest, HAZARD))
    assert {name: row.purpose for name, row in rules(of).items()} == {
        "V01": "hazard", "V03": "hazard", "V07": "rest", "V09": "rest", "V12": "rest",
        "V08": "rest", "V10": "rest",
    }  # fmt: skip
    assert asks(of) is None
    words = asks(replace(of, pictures=(HAZARD,)))
    assert words is not None
    assert "V07 V09 V12 V08 V10" in words.en


HEAD = "purpose,cameras,days,evidence_days,basis\n"


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (["hazard,V01;V03,30,,x", "people,people,90,365,y", "rest,*,30,,z"], []),
        (["hazard,V01,30,,"], ["2:basis"]),
        (["hazard,V01,0,,x"], ["2:days"]),
        (["hazard,V01,30,20,x"], ["2:evidence_days"]),
        (["hazard,R01,30,,x"], ["2:cameras"]),
        (["hazard,X9,30,,x"], ["2:cameras"]),
        (["hazard,V01,30,,x", "other,V01,40,,x"], ["3:cameras"]),
    ],
)
def test_the_table(rows: list[str], wrong: list[str], tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(yanqing().folder, tmp_path / "yanqing")
    (copy / "pictures.csv").write_text(HEAD + "\n".join(rows) + "\n")
    try:
        found = [] if len(load(copy).pictures) == len(rows) else ["?"]
    except ConfigError as e:
        found = [f"{p.row}:{p.column}" for p in e.problems]
    assert found == wrong


def test_an_old_log_s_records_are_passed_over(room: Room) -> None:
    room.log.append(
        [Out("cases", "A01", b"{"), Out("alerts", "A01", msgspec.json.encode({"type": "x"}))]
    )
    one = room.picture("V01", days(40), b"1")
    assert room.sweep() == 1
    assert room.has(one) == [False]
