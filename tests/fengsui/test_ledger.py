"""The ledger: whatever is done to an exported one is found, and no crash, restore or new key breaks
the chain in the log."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from config.language import en, zh
from config.records.level import Action, Level
from detectors.detection import Mark
from dispatch.ledger.chain import CHAINS, entry_of
from dispatch.ledger.writer import Ledger, Writer, ledger_keys, tail_of
from dispatch.records import Decision, Delivery, Receipt, Report, Route, RouteHealth
from fengsui.files.backup import take
from fengsui.files.ledger_export import export_ledger, in_log, verify, verify_log
from fengsui.files.restore import restore
from fengsui.run.setup import Setup
from stream.environment import Usage
from stream.log.port import Fenced, Log, Out
from stream.records import Record, Tick, encode
from tests.support.backups import CONFIG, DISTRICT, NOW, ROOT, at, fengsui, opened
from tests.support.examples import examples

NAME, NUMBER = "王小明", "13800001234"


def delivery(n: int) -> Delivery:
    return Delivery(
        id=f"D{n}", alert="W1", version=1, area="A01", hazard="debris_flow", level=Level.RED,
        action=Action.MOVE, msg_type="alert", status="exercise", recipient=f"C-{n:04}",
        audience="public", routes=(Route(channel="sms", text=f"{NAME} {NUMBER}"),),
        queued_at=NOW + n, deadline_at=NOW + 60_000, expires_at=NOW + 120_000,
    )  # fmt: skip


def receipt(n: int) -> Receipt:
    return Receipt(delivery=f"D{n}", route=0, state="delivered", receipt_at=NOW, detail=NUMBER)


def outs(since: int, until: int) -> list[Out]:
    """Records of both topics, with others between that are not entered."""
    found: list[tuple[str, Record]] = []
    for n in range(since, until):
        by = {"by": "P-01", "decided_at": NOW + n, "reason": f"{NAME} asked"}
        found += [
            ("alerts", Decision(area="A01", hazard="debris_flow", act="release", **by)),
            ("alerts", Mark(group="G1", clock_at=NOW + n, complete_at=NOW)),
            ("deliveries", delivery(n)),
            ("deliveries", Tick(clock_at=NOW + n)),
            ("deliveries", receipt(n)),
        ]
    health = RouteHealth(channel="sms", carrier="x", up=True, checked_at=NOW, by="probe")
    report = Report(
        incident="I", number=1, kind="初报", reported_at=NOW, alerts=("W1/1",), text=NAME
    )
    return [Out(t, "k", encode(r)) for t, r in [*found, ("deliveries", health), ("alerts", report)]]


def write(setup: Setup, log: Log, *, close: bool = True) -> None:
    """Enter all that is there."""
    private = ledger_keys(setup.folder, setup.live).private
    for chain in CHAINS:
        writer = Writer(log, chain, "t", private, lambda: NOW)
        while writer.turn(0.0):
            pass
        if close:
            writer.close()


def whole(setup: Setup, log: Log, folder: Path, keys: list[Path] | None = None) -> None:
    export_ledger(setup, log, folder, NOW)
    assert verify(folder, keys or []).faults == []


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of an export."""
    place = tmp_path_factory.mktemp("ledger")
    setup = at(place)(DISTRICT, "exercise-a")
    with opened(setup) as log:
        log.append(outs(0, 6))
        write(setup, log)
        whole(setup, log, place / "out")
    return {p.name: p.read_bytes() for p in (place / "out").iterdir()}


def entries(log: Log, chain: str) -> list[str]:
    """What was entered, without heads."""
    found = [entry_of(v) for v in in_log(log, "ledger", CHAINS.index(chain))]
    return [e.digest for e in found if e.of != "head"]


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for old in folder.iterdir():
        old.unlink()
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return folder


def found_in(folder: Path) -> list[str]:
    try:
        return verify(folder, []).faults
    except Usage as e:
        return [str(e)]


def _cases(files: dict[str, bytes], draw: st.DataObject) -> dict[str, bytes]:
    """One thing done to one of the files."""
    name = draw.draw(st.sampled_from(sorted(files)))
    body = files[name]
    rows = body.splitlines(keepends=True)
    n = draw.draw(st.integers(0, len(rows) - 1))
    m = draw.draw(st.integers(0, len(rows) - 1))
    byte = draw.draw(st.integers(0, len(body) - 1))
    match draw.draw(st.sampled_from(["flip", "drop", "cut", "cut rows", "swap", "again", "put"])):
        case "flip":
            changed = bytearray(body)
            changed[byte] ^= draw.draw(st.integers(1, 255))
            return {**files, name: bytes(changed)}
        case "drop":
            return {**files, name: b"".join(rows[:n] + rows[n + 1 :])}
        case "cut":
            return {**files, name: body[:byte]}
        case "cut rows":
            return {**files, name: b"".join(rows[:n])}
        case "swap":
            rows[n], rows[m] = rows[m], rows[n]
            return {**files, name: b"".join(rows)}
        case "again":
            return {**files, name: b"".join([*rows[: m + 1], rows[n], *rows[m + 1 :]])}
        case _:
            more = draw.draw(st.binary(min_size=1, max_size=3))
            return {**files, name: body[:byte] + more + body[byte:]}


@given(draw=st.data())
@examples(400, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_whatever_is_done_to_an_export_is_found(
    exported: dict[str, bytes], tmp_path: Path, draw: st.DataObject
) -> None:
    changed = _cases(exported, draw)
    faults = found_in(put(tmp_path, changed))
    # a list of keys may hold one twice, or an empty line
    keys = {n: set(f["ledger.pub"].split()) for n, f in enumerate((exported, changed))}
    others = [n for n in exported if n != "ledger.pub"]
    same = all(exported[n] == changed[n] for n in others) and keys[0] == keys[1]
    assert bool(faults) != same, faults


def test_every_byte_of_the_first_entries_and_of_the_seal(
    exported: dict[str, bytes], tmp_path: Path
) -> None:
    for name, size in (("alerts.jsonl", 900), ("seal.json", 10_000), ("deliveries.jsonl", 700)):
        for n in range(min(size, len(exported[name]))):
            changed = bytearray(exported[name])
            changed[n] ^= 0x20  # the case of a letter: the same hex
            assert found_in(put(tmp_path, {**exported, name: bytes(changed)})), (name, n)


@pytest.mark.parametrize("name", ["alerts.jsonl", "deliveries.jsonl", "seal.json", "ledger.pub"])
def test_a_missing_file_is_found(exported: dict[str, bytes], tmp_path: Path, name: str) -> None:
    files = {k: v for k, v in exported.items() if k != name}
    assert name in " ".join(map(str, found_in(put(tmp_path, files))))


def test_it_says_where(exported: dict[str, bytes], tmp_path: Path) -> None:
    rows = exported["deliveries.jsonl"].splitlines(keepends=True)
    rows[4] = rows[4].replace(b'"D2"', b'"D9"')
    files = {**exported, "deliveries.jsonl": b"".join(rows)}
    (fault,) = found_in(put(tmp_path, files))
    assert zh(fault).startswith("deliveries 第 5 条：内容被改")
    assert en(fault).startswith("deliveries entry 5: was changed")
    del rows[3]
    (fault,) = found_in(put(tmp_path, {**files, "deliveries.jsonl": b"".join(rows)}))
    assert zh(fault).startswith("deliveries 第 4 条")


def test_no_words_no_name_and_no_number(exported: dict[str, bytes]) -> None:
    body = b"".join(exported.values())
    assert {c for c in body.decode() if not c.isascii()} == set("初报")
    assert NUMBER.encode() not in body
    assert b"C-0003" in body


def test_a_chain_made_anew_with_another_key_is_not_believed(
    exported: dict[str, bytes], tmp_path: Path
) -> None:
    """Whoever can write everything can make a ledger that is whole, but not sign it as ours."""
    real = tmp_path / "real.pub"
    real.write_bytes(exported["ledger.pub"])
    setup = at(tmp_path)(DISTRICT, "exercise-forged")
    with opened(setup) as log:
        log.append(outs(0, 2))
        write(setup, log)
        export_ledger(setup, log, tmp_path / "out", NOW)
    assert verify(tmp_path / "out", []).faults == []
    faults = verify(tmp_path / "out", [real]).faults
    assert len(faults) == 3
    assert all("not trusted" in f for f in faults)


def test_restarts_and_a_lost_commit_enter_each_record_once(tmp_path: Path) -> None:
    setup = at(tmp_path)(DISTRICT, "exercise-a")
    private = ledger_keys(setup.folder, False).private
    with opened(setup) as log:
        writer = Writer(log, "deliveries", "a", private, lambda: NOW)
        log.append(outs(0, 1))
        # what comes while it waits, before it writes, is entered with it
        assert writer.turn(0.0, lambda: log.append(outs(1, 3))) == 6
        consumer = writer._consumer
        assert consumer is not None
        commit, consumer.commit = consumer.commit, _refusing  # type: ignore[method-assign]
        log.append(outs(3, 5))
        with pytest.raises(Fenced):
            writer.turn(0.0)
        consumer.commit = commit  # type: ignore[method-assign]
        consumer.rewind()
        assert writer.turn(0.0) == 4
        writer.close()
        log.append(outs(5, 6))
        write(setup, log)
        assert len(entries(log, "deliveries")) == len(set(entries(log, "deliveries"))) == 12
        assert verify_log(log)[1] == []
        whole(setup, log, tmp_path / "out")


def _refusing(*_: object) -> None:
    raise Fenced("another has it")


def test_two_members_write_one_chain(tmp_path: Path) -> None:
    setup = at(tmp_path)(DISTRICT, "exercise-a")
    private, stop = ledger_keys(setup.folder, False).private, threading.Event()
    with opened(setup) as log:
        both = [Ledger(log, name, private, lambda: NOW, stop) for name in "ab"]
        for n in range(20):
            log.append(outs(n, n + 1))
        while any(log.positions(c, f"ledger-{c}") < log.ends(c) for c in CHAINS):
            assert not stop.wait(0.05)
        for one in both:
            one.close()
        assert len(entries(log, "deliveries")) == 40
        assert verify_log(log)[1] == []
        whole(setup, log, tmp_path / "out")


def test_a_member_that_gets_its_chain_back_goes_on_from_what_the_other_wrote(
    tmp_path: Path,
) -> None:
    setup = at(tmp_path)(DISTRICT, "exercise-a")
    private = ledger_keys(setup.folder, False).private
    with opened(setup) as log:
        first, second = (Writer(log, "deliveries", m, private, lambda: NOW) for m in "ab")
        log.append(outs(0, 2))
        assert first.turn(0.0) == 4
        assert first._consumer is not None
        first._consumer.close()  # as when its lease ran out
        log.append(outs(2, 3))
        while not second.turn(0.1):
            pass
        second.close()
        log.append(outs(3, 4))
        while not first.turn(0.1):
            pass
        first.close()
        write(setup, log)
        assert verify_log(log)[1] == []
        whole(setup, log, tmp_path / "out")


_CHILD = """
import sys, threading
from pathlib import Path
from tests.support.backups import DISTRICT, NOW, at, opened
from dispatch.ledger.writer import Ledger, ledger_keys
setup = at(Path(sys.argv[1]))(DISTRICT, "exercise-a")
with opened(setup) as log:
    Ledger(log, "child", ledger_keys(setup.folder, False).private, lambda: NOW, threading.Event())
    print("up", flush=True)
    threading.Event().wait()
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    yield process
    process.kill()
    process.wait()


def test_kill_9_in_the_middle(tmp_path: Path, child: "subprocess.Popen[str]") -> None:
    setup = at(tmp_path)(DISTRICT, "exercise-a")
    assert child.stdout is not None
    with opened(setup) as log:
        assert child.stdout.readline() == "up\n"
        count = 0
        while tail_of(log, "deliveries").n < 50 or count < 200:  # it works while more comes
            log.append(outs(count, count + 10))
            count += 10
        child.send_signal(signal.SIGKILL)
        child.wait()
        write(setup, log)
        found = entries(log, "deliveries")
        assert len(found) == len(set(found)) == 2 * count
        assert verify_log(log)[1] == []
        whole(setup, log, tmp_path / "out")


def test_a_restored_run_goes_on_with_the_chain_under_a_new_key(tmp_path: Path) -> None:
    setup = at(tmp_path)(DISTRICT, "exercise-a")
    with opened(setup) as log:
        log.append(outs(0, 5))
        write(setup, log)
        log.append(outs(5, 6))  # not entered yet
        before = [*in_log(log, "ledger", 1)]
    take(setup, CONFIG, tmp_path / "a.tar.gz", NOW)
    again = restore(tmp_path / "a.tar.gz", "exercise-b", at(tmp_path / "new"))
    with opened(again) as log:
        log.append(outs(6, 8))
        write(again, log)
        assert [*in_log(log, "ledger", 1)][: len(before)] == before
        assert len(entries(log, "deliveries")) == 16
        assert verify_log(log)[1] == []
        old, new = (s.folder / "keys" / "ledger.pub" for s in (setup, again))
        whole(again, log, tmp_path / "out", [old, new])
    faults = verify(tmp_path / "out", [new]).faults
    assert len(faults) == 2
    assert all("not trusted" in f for f in faults)


_D2 = "records SET value=CAST(replace(value,'D2','D7') AS BLOB)"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (f"UPDATE {_D2} WHERE topic='deliveries' AND pos=6", 2),
        ("DELETE FROM records WHERE topic='deliveries' AND pos=6", 1),
        ("DELETE FROM records WHERE topic='ledger' AND part=1 AND pos=3", 1),
        (
            f"UPDATE {_D2} WHERE topic='ledger' AND part=1",
            1,
        ),
    ],
)
def test_the_log_itself_is_held_against_the_ledger(tmp_path: Path, sql: str, words: int) -> None:
    import sqlite3

    setup = at(tmp_path)(DISTRICT, "exercise-a")
    with opened(setup) as log:
        log.append(outs(0, 5))
        write(setup, log)
        assert verify_log(log)[1] == []
    (file,) = setup.folder.glob("*.log.db")
    with sqlite3.connect(file) as db:
        db.execute(sql)
    with opened(setup) as log:
        assert len(verify_log(log)[1]) == words


def test_a_record_that_no_stage_can_read_is_entered(tmp_path: Path) -> None:
    setup = at(tmp_path)(DISTRICT, "exercise-a")
    with opened(setup) as log:
        log.append([Out("alerts", "k", b"\xff"), Out("alerts", "k", b'{"type":"later"}')])
        write(setup, log)
        kinds = [entry_of(v).of for v in in_log(log, "ledger", 0)]
        assert kinds == ["unreadable", "unreadable", "head"]
        whole(setup, log, tmp_path / "out")


def test_by_the_command(tmp_path: Path) -> None:
    setup = at(tmp_path)(DISTRICT, "exercise-a")
    with opened(setup) as log:
        log.append(outs(0, 3))
        write(setup, log)
    out = tmp_path / "out"
    run = ("--run", "exercise-a")
    assert fengsui(tmp_path, "audit", "--ledger", *run).returncode == 0
    assert fengsui(tmp_path, "export", "ledger", *run).returncode == 2
    assert fengsui(tmp_path, "export", "alerts", *run, "--out", str(out)).returncode == 2
    assert fengsui(tmp_path, "export", "ledger", *run, "--out", str(out)).returncode == 0
    again = fengsui(tmp_path, "export", "ledger", *run, "--out", str(out))
    assert again.returncode == 2
    assert "not empty" in again.stderr
    key = str(setup.folder / "keys" / "ledger.pub")
    good = fengsui(tmp_path / "elsewhere", "audit", str(out), "--key", key)
    assert good.returncode == 0, good.stderr
    assert "the ledger is whole: exercise-a, alerts 5, deliveries 7" in good.stdout
    assert "the folder's own" not in good.stdout
    body = (out / "alerts.jsonl").read_bytes()
    (out / "alerts.jsonl").write_bytes(body.replace(b"P-01", b"P-02", 1))
    for lang, said in (("zh", "alerts 第 1 条：内容被改"), ("en", "alerts entry 1: was changed")):
        bad = fengsui(tmp_path / "elsewhere", "audit", str(out), FENGSUI_LANG=lang)
        assert bad.returncode == 1
        assert bad.stdout.startswith(f"! {said}")
        assert bool(re.search("[\u4e00-\u9fff]", bad.stdout)) == (lang == "zh")
    assert fengsui(tmp_path, "audit", str(tmp_path / "none")).returncode == 2


def test_a_live_run_takes_the_key_of_a_named_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "signer"
    file.write_text("11" * 32 + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("FENGSUI_LEDGER_KEY", str(file))
    assert ledger_keys(tmp_path / "live", True).private == bytes.fromhex("11" * 32)
    assert ledger_keys(tmp_path / "exercise", False).private != bytes.fromhex("11" * 32)
    file.chmod(0o644)
    with pytest.raises(ValueError, match="others may read the key"):
        ledger_keys(tmp_path / "live", True)


def test_an_entry_has_one_way_to_be_written(exported: dict[str, bytes], tmp_path: Path) -> None:
    first, rest = exported["alerts.jsonl"].split(b"\n", 1)
    spaced = msgspec.json.format(first, indent=0)
    assert spaced != first
    files = {**exported, "alerts.jsonl": spaced.replace(b"\n", b" ") + b"\n" + rest}
    assert found_in(put(tmp_path, files))
