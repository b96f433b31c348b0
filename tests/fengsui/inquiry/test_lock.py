"""A retention lock: nothing of an incident is deleted while it stands, it says who locked it and why, and
when it is let go everything may be deleted as before."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.language import en, zh
from config.records.district import Contact
from config.records.level import Level
from console.model.follow import Follower
from dispatch.ledger.chain import Tail, entered, entry_of
from dispatch.ledger.custody import locked, noted
from dispatch.people.contact_store import ContactStore
from dispatch.people.erase import Held, erase
from dispatch.records import Custody, Report
from fengsui.files.locked import lock_lines
from fengsui.run.processes import _held, _trimming
from fengsui.run.setup import Setup
from ingest.people.kept_words import KEPT_MS, Words
from stream.disk.locks import FILE, Lock, add, in_force, read, release
from stream.log.port import Log, Out
from stream.records import encode
from stream.stages.stage import Item
from stream.wall_clock import now_ms
from tests.support.after_action import T0, delivery
from tests.support.backups import DISTRICT, opened
from tests.support.decide_district import unproved
from tests.support.inquiry import INCIDENT, RUN, filled
from tests.support.played import fengsui

YEAR_MS = 365 * 86_400_000


def person(ident: str) -> Contact:
    return Contact(
        id=ident, name="王某", role="responsible", areas=("A01",), lang="zh", channels=("sms",),
        min_level=Level.BLUE, phone="1990000001",
    )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Setup:
    setup, _ = filled(tmp_path)
    with ContactStore(setup.folder) as store:
        store.put([person("C-0001"), person("C-9000")])
    return setup


@pytest.fixture
def log(run: Setup) -> Iterator[Log]:
    with opened(run) as log:
        yield log


def asked(run: Setup, *words: str) -> tuple[int, str, str]:
    done = fengsui(run.folder.parent, *words, "--run", RUN, FENGSUI_LANG="")
    return done.returncode, done.stdout, done.stderr


def test_who_stands_in_the_incident_is_not_erased_until_it_is_let_go(run: Setup) -> None:
    wish = ("investigate", INCIDENT, "--by", "K-01", "--reason", "审计署调阅")
    code, out, err = asked(run, *wish, "--lock", "2999-01-01T00:00:00+08:00")
    assert (code, err) == (0, "")
    assert "已锁到 2999-01-01 00:00" in out
    _, status, _ = asked(run, "status")
    assert f"保留锁：事件 {INCIDENT}，K-01 于" in status
    assert "至 2999-01-01 00:00，事由：审计署调阅" in status
    code, out, err = asked(run, "contacts", "erase", "C-0001", "C-9000")
    assert code == 1
    assert "C-0001: 没有删除：保留锁：事件 I1，K-01 于" in err
    assert "contacts.csv" not in err, "of who is held nothing is to be taken away"
    assert "C-9000: 已删除" in out  # stands in no record of it
    with ContactStore(run.folder) as store:
        assert store.ids() == ["C-0001"]
    code, out, _ = asked(run, *wish, "--release")
    assert (code, "解除 1 把锁" in out) == (0, True)
    assert "保留锁" not in asked(run, "status")[1]
    assert asked(run, "contacts", "erase", "C-0001")[0] == 0
    assert asked(run, *wish, "--release")[0] == 1  # there is none any more
    with opened(run) as log:
        assert [(x.act, x.by, x.reason) for x in noted(log)] == [
            ("lock", "K-01", "审计署调阅"), ("release", "K-01", "审计署调阅")
        ]  # fmt: skip


def test_a_lock_needs_an_incident_a_name_and_a_reason(run: Setup) -> None:
    until = ("--lock", "2999-01-01T00:00:00+08:00")
    for words in ((INCIDENT, *until, "--by", "K-01"), (INCIDENT, *until, "--reason", "x"),
                  (*until, "--by", "K-01", "--reason", "x"),
                  (INCIDENT, *until, "--release", "--by", "K-01", "--reason", "x"),
                  (INCIDENT, "--lock", "2020-01-01T00:00:00Z", "--by", "K-01", "--reason", "x"),
                  ("I9", *until, "--by", "K-01", "--reason", "x")):  # fmt: skip
        assert asked(run, "investigate", *words)[0] == 2, words
    assert read(run.folder) == []


def lock(name: str = INCIDENT, until: int = 0, **more: object) -> Lock:
    until_at = until or now_ms() + YEAR_MS
    return Lock(name=name, by="K-01", reason="r", locked_at=1, until_at=until_at, **more)  # type: ignore[arg-type]


def test_one_who_is_held_costs_nobody_else_their_place_and_nothing_half_way(run: Setup) -> None:
    add(run.folder, lock(people=("C-0001",)))
    with pytest.raises(Held) as e:
        erase(run.folder, ["C-9000", "C-0001"], now_ms())
    assert "C-0001" in str(e.value)
    with ContactStore(run.folder) as store:
        assert store.ids() == ["C-0001", "C-9000"]
    assert erase(run.folder, ["C-9000"], now_ms()) == ["C-9000"]


def test_a_lock_that_is_over_or_let_go_holds_nobody(run: Setup) -> None:
    add(run.folder, lock(until=now_ms() - 1, people=("C-0001",)))
    add(run.folder, lock("I7", people=("C-0001",)))
    assert release(run.folder, "I7", "K-02", "done", now_ms()) == 1
    assert in_force(run.folder, now_ms()) == []
    assert [x.released_by for x in read(run.folder)] == ["", "K-02"]
    assert erase(run.folder, ["C-0001"], now_ms()) == ["C-0001"]


def test_a_file_that_cannot_be_read_locks_everything(run: Setup, log: Log) -> None:
    (run.folder / FILE).write_text("{")
    with pytest.raises(ValueError, match=FILE):
        erase(run.folder, ["C-0001"], now_ms())
    assert _held(run.folder, log)
    assert FILE in " ".join(zh(x) for x in lock_lines(log, run.folder, now_ms(), "Asia/Shanghai"))
    kept = Words(run.folder)
    kept.put("m1", "C-0001", "A01", "水大了", T0)
    kept.forget(T0 + 2 * KEPT_MS)
    assert [w.id for w in kept.read(T0)] == ["m1"]
    kept.close()


def trimming(run: Setup, log: Log) -> _trimming:
    return _trimming(log, run.folder, lambda: now_ms() + 50 * YEAR_MS, threading.Event())


def kept(log: Log) -> list[int]:
    parts = range(log.topics["observations"].partitions)
    return [len(log.read("observations", p, 0, 10**6)) for p in parts]


@pytest.mark.parametrize("where", ["file", "log"])
def test_the_log_drops_nothing_while_it_is_locked(run: Setup, log: Log, where: str) -> None:
    before, until = kept(log), now_ms() + YEAR_MS
    said = Custody(act="lock", incident=INCIDENT, by="K-01", said_at=now_ms(), until_at=until)
    if where == "file":
        add(run.folder, lock())
    else:  # of another machine
        from dispatch.ledger.custody import note

        note(log, said)
    trimming(run, log).turn()
    assert kept(log) == before
    if where == "file":
        release(run.folder, INCIDENT, "K-01", "r", now_ms())
    else:
        note(log, msgspec.structs.replace(said, act="release", said_at=now_ms() + 1))
    trimming(run, log).turn()
    assert sum(kept(log)) < sum(before)


def test_words_that_people_wrote_outlive_their_three_days_and_are_shown_no_longer(
    run: Setup,
) -> None:
    store, late = Words(run.folder), T0 + 2 * KEPT_MS
    store.put("m1", "C-0001", "A01", "水大了", T0)
    add(run.folder, lock())
    store.forget(late)
    assert [w.text for w in store.read(T0)] == ["水大了"]
    assert store.read(late) == []
    release(run.folder, INCIDENT, "K-01", "r", now_ms())
    store.forget(late)
    assert store.read(T0) == []
    store.close()


def test_a_lock_of_the_log_that_this_machine_has_no_list_of_holds_everybody(run: Setup) -> None:
    with opened(run) as log:
        from dispatch.ledger.custody import note

        note(
            log,
            Custody(act="lock", incident="I8", by="K-03", said_at=1, until_at=now_ms() + YEAR_MS),
        )
        told = " ".join(en(x) for x in lock_lines(log, run.folder, now_ms(), "Asia/Shanghai"))
    assert "I8" in told
    code, _, err = asked(run, "contacts", "erase", "C-9000")
    assert (code, "K-03" in err) == (1, True)


def test_the_ledger_has_who_locked_it_and_why_not(run: Setup) -> None:
    said = Custody(
        act="pack",
        incident=INCIDENT,
        by="K-01",
        said_at=5,
        reason="王小明",
        named=("words",),
        sha256="ab",
    )
    found = entered(Tail("alerts"), encode(said))
    assert found is not None
    what = {k: msgspec.json.decode(v) for k, v in entry_of(found[0]).what.items()}
    assert what == {
        "act": "pack", "incident": INCIDENT, "by": "K-01", "said_at": 5, "named": ["words"], "sha256": "ab"
    }  # fmt: skip


def test_decide_passes_it_on() -> None:
    stage = unproved(DISTRICT)
    said = Custody(act="lock", incident=INCIDENT, by="K-01", said_at=5, until_at=9)
    _, writes = stage.step(stage.new(0), [Item(0, 0, "desk", said)])
    assert [(w.topic, w.record) for w in writes] == [("alerts", said)]


def test_a_pack_that_was_made_stands_on_record(run: Setup, tmp_path: Path) -> None:
    words = ("investigate", INCIDENT, "--out", str(tmp_path / "p.zip"), "--with", "words")
    assert asked(run, *words, "--by", "K-01", "--reason", "调阅")[0] == 0
    with opened(run) as log:
        (said,) = noted(log)
        assert [r for _, r in Follower(log, ("cases",)).take() if isinstance(r, Custody)] == [said]
    assert (said.act, said.by, said.named, len(said.sha256)) == ("pack", "K-01", ("words",), 64)


def test_a_longer_lock_stands_beside_a_shorter_one() -> None:
    def one(act: str, at: int, until: int = 0) -> Custody:
        return Custody(act=act, incident="I", by="K", said_at=at, until_at=until)  # type: ignore[arg-type]

    long, short = one("lock", 1, 100), one("lock", 2, 50)
    assert locked([long, short], 60) == [long]
    assert locked([long, one("release", 3)], 60) == []
    again = one("lock", 4, 90)
    assert locked([long, one("release", 3), again], 60) == [again]


def test_a_clock_that_was_set_back_loses_no_lock(run: Setup, log: Log) -> None:
    """Locked after a release by a clock that was fast then: it holds. Let go after a lock from the future: it
    holds no more."""
    from dispatch.ledger.custody import note

    def say(act: str, at: int) -> list[Custody]:
        until = now_ms() + YEAR_MS if act == "lock" else 0
        note(log, Custody(act=act, incident="I", by="K", said_at=at, until_at=until))  # type: ignore[arg-type]
        return locked(noted(log), now_ms())

    assert len(say("lock", 900)) == 1
    assert say("release", 1000) == []
    assert len(say("lock", 500)) == 1  # the clock was set back between
    assert _held(run.folder, log)
    assert say("release", 400) == []


def test_who_came_into_the_records_after_the_lock_is_held_too(run: Setup) -> None:
    wish = ("investigate", INCIDENT, "--by", "K-01", "--reason", "r")
    code, out, err = asked(run, *wish, "--lock", "2999-01-01T00:00:00+08:00")
    assert (code, err) == (0, "")
    assert "事件还没有终报" in out
    with opened(run) as log:
        late = delivery("z1", 2, "sms", "C-9000", T0 + 500_000)
        log.append([Out("deliveries", "k", encode(late))])
    code, _, err = asked(run, "contacts", "erase", "C-9000")
    assert (code, "C-9000: 没有删除：保留锁：事件 I1" in err) == (1, True)
    with opened(run) as log:
        last = Report(
            incident=INCIDENT, number=9, kind="终报", reported_at=T0 + 600_000, alerts=(), text=""
        )
        log.append([Out("alerts", "k", encode(last))])
    assert "终报" not in asked(run, *wish, "--lock", "2999-01-01T00:00:00+08:00")[1]


class Server:
    """A log whose server drops by age itself: what it was told."""

    def __init__(self, log: Log) -> None:
        self._log, self.told = log, list[bool]()

    def hold(self, held: bool) -> None:
        self.told.append(held)

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)


def test_a_lock_that_runs_out_lets_the_server_drop_again(run: Setup, log: Log) -> None:
    from dispatch.ledger.custody import note

    server = Server(log)
    turns = _trimming(server, run.folder, now_ms, threading.Event())  # type: ignore[arg-type]
    turns.turn()
    assert server.told == []  # nobody ever locked it: what its operator set stands
    add(run.folder, lock(until=(soon := now_ms() + 2_000)))
    note(log, Custody(act="lock", incident=INCIDENT, by="K", said_at=1, until_at=soon))
    turns.turn()
    assert server.told == []
    while now_ms() <= soon:
        threading.Event().wait(0.1)
    turns.turn()
    assert server.told == [False]
    turns.turn()
    assert server.told == [False]
    again = _trimming(server, run.folder, now_ms, threading.Event())  # type: ignore[arg-type]
    again.turn()  # another process, which does not know
    assert server.told == [False, False]
