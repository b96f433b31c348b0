"""Who made a decision is proved: nobody acts in another's name by writing to the log, calling the
command line, or saying again what was said; what was taken before there were proofs stays as it was."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from console.auth.accounts import Users
from console.model.follow import Follower
from console.model.trail import Trail
from console.model.view import View
from dispatch.address.stage import Address
from dispatch.decide.stage import Decide
from dispatch.ledger.writer import Ledger, ledger_keys
from dispatch.nodes.keys import public_of
from dispatch.records import Alert, Decision, Delivery
from dispatch.signatures.proof import STALE_MS, Era, Signer, Trust, signed, unproven, verified
from dispatch.signatures.signers import (
    FILE,
    Desk,
    begin,
    enrol,
    fit,
    make_officer_key,
    officer_key,
    read,
    retire,
)
from fengsui.cli.duty import signer
from fengsui.cli.root import cli
from fengsui.files.backup import take
from fengsui.files.ledger_export import export_ledger, verify
from fengsui.files.restore import restore
from fengsui.run.processes import run_stage
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.run.signing import signers_folder
from fengsui.status.look import look_of
from fengsui.status.orders import Wish, order
from stream.environment import Usage
from stream.log.port import Log, Out
from stream.records import DeadLetter, Record, encode
from stream.stages.stage import Item
from stream.wall_clock import now_ms
from tests.support.decide_district import DESK, MIN, T0, Line, act, real, run, seen, tick, yanqing
from tests.support.examples import examples

WAIT_S = 120.0  # the longest; an answer ends it
OWN, OTHER = b"\1" * 32, b"\2" * 32  # keys of K-01 and D-01
PASSPHRASE = "a passphrase of eleven words"


def key(private: bytes) -> str:
    return public_of(private).hex()


SIGNERS = (
    Signer(key=key(DESK), name="desk"),
    Signer(key=key(OWN), officer="K-01"),
    Signer(key=key(OTHER), officer="D-01"),
)


class Judge:
    """decide over `cases`, record by record, with the signers given."""

    def __init__(self, since: int = 0, signers: tuple[Signer, ...] = SIGNERS) -> None:
        self.district = real()
        self.trust = Trust(
            district=self.district.id, eras=(Era(since=since, run="live", signers=signers),)
        )
        self.log: list[Record] = []
        self.begin()
        self.feed(run("live"), seen(1, Level.RED, area="A01"))

    def begin(self) -> None:
        self.stage = Decide(self.district, lambda: self.trust)
        self.state = self.stage.new(0)

    def feed(self, *records: Record) -> list[Record]:
        items = [Item(0, n, "", r) for n, r in enumerate(records, len(self.log))]
        self.log += records
        self.state, writes = self.stage.step(self.state, items)
        return [w.record for w in writes]

    def memory(self) -> bytes:
        return self.stage.dump(self.state)


def said(
    by: str = "K-01", what: str = "release", private: bytes | None = OWN, **more: str
) -> Decision:
    fields = {"order": "0123456789abcdef", **more}
    d = act(what, by=by, area="A01", **fields)
    return d if private is None else signed(d, private, "live", "yanqing")


def refused(found: list[Record], why: str) -> None:
    """A dead letter and a refusal in the ledger, and nothing else."""
    letter, answer = found
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "unproven_decision"
    assert isinstance(answer, Decision)
    assert (answer.outcome, answer.unproven) == ("refused", why)
    assert answer.hash


FORGED = {
    "unsigned": said(private=None),
    "unknown_key": said(private=b"\7" * 32),
    "not_theirs": said(by="K-01", private=OTHER),
    "wrong_signature": msgspec.structs.replace(said(what="hold"), act="release"),
}


@pytest.mark.parametrize("why", list(FORGED))
def test_who_writes_into_the_log_speaks_for_nobody(why: str) -> None:
    judge = Judge()
    before = judge.state.cases
    refused(judge.feed(FORGED[why]), why)
    assert judge.state.cases == before


CHANGED: dict[str, object] = {
    "area": "A02", "hazard": "debris_flow", "act": "raise", "by": "K-02", "decided_at": T0 + 1,
    "reason": "另一个理由", "alert": "another", "version": 7, "level": Level.RED,
    "action": Action.MOVE, "order": "fedcba9876543210", "approver": "K-02", "reference": "x",
    "incident": "I", "task": "T", "happened_at": T0 - 1, "supply": "SB-02", "count": 9,
}  # fmt: skip


def test_all_that_an_act_says_is_under_the_signature() -> None:
    what_came = {"outcome", "answer", "proof", "unproven", "previous", "hash"}
    assert set(CHANGED) | what_came == set(Decision.__struct_fields__)


@pytest.mark.parametrize("field", list(CHANGED))
def test_one_changed_field_is_no_proof(field: str) -> None:
    for private in (
        DESK,
        OWN,
    ):  # a desk may sign for anybody: it is the signature that does not fit
        good = said(private=private)
        assert verified(good, "live", "yanqing")
        bad = msgspec.structs.replace(good, **{field: CHANGED[field]})
        found = unproven(Judge().trust, bad, 0, T0)
        assert found == "wrong_signature"


@given(st.integers(0, 63), st.integers(0, 255), st.booleans())
@examples(60)
def test_no_byte_of_the_signature_or_key_is_idle(place: int, value: int, of_key: bool) -> None:
    good = said()
    assert good.proof is not None
    field = "key" if of_key else "signature"
    raw = bytearray(bytes.fromhex(getattr(good.proof, field)))
    place %= len(raw)
    raw[place] ^= value or 1
    proof = msgspec.structs.replace(good.proof, **{field: bytes(raw).hex()})
    bad = msgspec.structs.replace(good, proof=proof)
    assert unproven(Judge().trust, bad, 0, T0) in ("wrong_signature", "unknown_key")


@given(st.text(max_size=80), st.text(max_size=140))
@examples(60)
def test_whatever_stands_for_a_proof_is_refused_and_never_an_error(one: str, two: str) -> None:
    good = said()
    assert good.proof is not None
    for proof in (
        msgspec.structs.replace(good.proof, key=one, signature=two),
        msgspec.structs.replace(good.proof, signature=two),
    ):
        bad = msgspec.structs.replace(good, proof=proof)
        if proof.signature != good.proof.signature:
            assert unproven(Judge().trust, bad, 0, T0) in ("wrong_signature", "unknown_key")


def test_an_exercises_decision_is_never_live_and_none_is_another_districts() -> None:
    judge, plain = Judge(), said(private=None)
    refused(judge.feed(signed(plain, OWN, "exercise-a", "yanqing")), "wrong_signature")
    refused(judge.feed(signed(plain, OWN, "live", "huailai")), "wrong_signature")


def test_what_was_said_counts_once_however_often_it_is_written() -> None:
    judge = Judge()
    good = said()
    done = judge.feed(good)
    assert [d.outcome for d in done if isinstance(d, Decision)] == ["done"]
    again = judge.feed(good)
    assert [type(r) for r in again] == [DeadLetter]
    other_signer = judge.feed(
        signed(msgspec.structs.replace(good, proof=None), DESK, "live", "yanqing")
    )
    assert [r.reason for r in again + other_signer if isinstance(r, DeadLetter)] == [
        "repeated_decision"
    ] * 2
    judge.state = judge.stage.load(0, judge.memory())  # nor after a restart
    assert [type(r) for r in judge.feed(good)] == [DeadLetter]
    week = STALE_MS // MIN
    judge.feed(tick(week + 10))  # nor when it is forgotten
    judge.feed(said(what="hold", order="00000000000000aa"))
    refused(judge.feed(good), "stale")


def test_a_revoked_key_signs_nothing_more_whatever_the_clocks_say() -> None:
    """Also of what was written before, and waits while decide is down."""
    judge = Judge()
    at = len(judge.log)
    ended = msgspec.structs.replace(SIGNERS[1], until=at, until_at=T0 + 10**9)
    era = msgspec.structs.replace(judge.trust.now, signers=(SIGNERS[0], ended))
    judge.trust = msgspec.structs.replace(judge.trust, eras=(era,))
    refused(judge.feed(said()), "revoked")
    assert unproven(judge.trust, said(), at - 1, T0) is None  # what it signed stays right


def test_two_officers_are_two_proofs() -> None:
    """A red takes two: one's key signs once, and not in the name of the second."""
    judge = Judge()
    first = judge.feed(said("K-01"))
    assert [d.act for d in first if isinstance(d, Decision)] == ["approve"]
    refused(judge.feed(said("K-02", private=OWN, order="00000000000000bb")), "not_theirs")
    same = judge.feed(said("K-01", order="00000000000000cc"))
    assert not [a for a in same if isinstance(a, Alert) and a.public and a.level == Level.RED]
    second = signed(
        act("release", by="K-02", area="A01", order="00000000000000dd"), DESK, "live", "yanqing"
    )
    found = judge.feed(second)
    assert [a.level for a in found if isinstance(a, Alert) and a.public] == [Level.RED]


def test_a_word_for_a_neighbour_needs_a_proof_too() -> None:
    judge = Judge()
    word = Decision(
        area="", hazard="", act="accept", by="K-01", decided_at=T0, reason="收到",
        alert="huailai x,y,z", order="00000000000000ee",
    )  # fmt: skip
    found = judge.feed(word)
    refused(found, "unsigned")
    address = Address(judge.district)
    state, items = (
        address.new(0),
        [Item(0, n, "", r) for n, r in enumerate([run("live"), *found[1:]])],
    )
    _, writes = address.step(state, items)
    told = [w.record for w in writes if isinstance(w.record, Delivery)]
    assert [d.recipient.startswith("duty:unproven:") for d in told] == [True]


def test_the_duty_room_is_told_and_not_a_thousand_times() -> None:
    judge, address = Judge(), Address(real(), live=True)
    state = address.new(0)
    told = []
    for n in range(50):
        found = judge.feed(said(private=None, order=f"{n:016x}"))
        state, writes = address.step(state, [Item(0, n, "", r) for r in found])
        told += [w.record for w in writes if isinstance(w.record, Delivery)]
    assert len(told) == 1
    assert "K-01" in told[0].routes[0].text
    assert told[0].status == "actual"


def test_what_was_taken_before_there_were_proofs_stays_and_nothing_lowers_the_mark() -> None:
    old = Judge(since=10**9)
    old.feed(said(private=None))
    old.feed(said("K-02", private=None, order="00000000000000aa"))
    was, mark = old.state.cases, len(old.log)
    now = Judge(since=mark)
    now.log, now.trust = [], msgspec.structs.replace(now.trust)
    now.begin()
    now.feed(*old.log)  # rebuilt from its beginning
    assert now.state.cases == was
    refused(now.feed(said(what="cancel", private=None)), "unsigned")
    records = list(now.log)
    again = Judge(since=mark)
    again.log = []
    again.begin()
    again.feed(*records)
    assert again.memory() == now.memory()


def test_memory_from_before_is_read() -> None:
    judge = Judge()
    old = msgspec.msgpack.decode(judge.memory())
    assert old.pop("taken") == {}
    assert judge.stage.load(0, msgspec.msgpack.encode(old)) == judge.state


# ---- the list


def test_the_list_is_begun_once_and_its_mark_is_never_moved(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: begin(tmp_path, "live", "yanqing", n), range(100, 108)))
    first = read(tmp_path / FILE, "yanqing").now.since
    begin(tmp_path, "live", "yanqing", 10**6)
    fit(tmp_path, "yanqing", 10**6)
    assert read(tmp_path / FILE, "yanqing").now.since == first
    fit(tmp_path, "yanqing", first - 1)  # another log stands where that one was
    assert read(tmp_path / FILE, "yanqing").now.since == 0


def test_a_key_is_one_persons_and_a_revoked_one_does_not_come_back(tmp_path: Path) -> None:
    begin(tmp_path, "live", "yanqing", 0)
    file = tmp_path / FILE
    enrol(file, "yanqing", SIGNERS[1])
    with pytest.raises(ValueError, match="K-01"):
        enrol(file, "yanqing", Signer(key=key(OWN), officer="K-02"))
    gone = retire(file, "yanqing", key(OWN)[:12], 3, 5)
    assert (gone.until, gone.until_at) == (3, 5)
    with pytest.raises(ValueError, match="registered"):
        enrol(file, "yanqing", SIGNERS[1])
    for begins in ("", "zz", key(OWN)):
        with pytest.raises(ValueError, match="不是其中"):
            retire(file, "yanqing", begins, 3, 6)


def test_a_desk_registers_itself_once_and_not_after_it_was_revoked(tmp_path: Path) -> None:
    desk = Desk(tmp_path, tmp_path / "keys", "live", "yanqing", lambda: 0)
    file = tmp_path / "keys" / FILE
    for _ in range(3):
        assert verified(desk.sign(act("hold")), "live", "yanqing")
    assert [s.key for s in read(file, "yanqing").now.signers] == [desk.public()]
    retire(file, "yanqing", desk.public(), 3, 9)
    with pytest.raises(ValueError, match="revoked"):
        desk.sign(act("hold"))
    old, new = desk.public(), desk.renew(10)
    assert new != old
    assert desk.sign(act("hold")).proof is not None
    newer = desk.renew(11)
    ends = {s.key: s.until_at for s in read(file, "yanqing").now.signers}
    assert ends == {old: 9, new: 11, newer: None}


def test_an_officers_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    file = tmp_path / "a" / "K-01.key"
    public = make_officer_key(file, PASSPHRASE)
    assert key(officer_key(file, PASSPHRASE)) == public
    assert public.encode() not in file.read_bytes()
    with pytest.raises(ValueError, match="passphrase"):
        officer_key(file, "another one")
    with pytest.raises(ValueError, match="not overwritten"):
        make_officer_key(file, PASSPHRASE)
    file.chmod(0o644)
    with pytest.raises(ValueError, match="chmod"):
        officer_key(file, PASSPHRASE)
    for body in (b"", b"no key", DESK):
        file.write_bytes(body)
        file.chmod(0o600)
        with pytest.raises(ValueError, match=r"K-01\.key"):
            officer_key(file, PASSPHRASE)


# ---- a live run, its log, and the command line


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    made = make_setup(yanqing(), "live", tmp_path, start_at=T0)
    made.folder.mkdir(parents=True)
    return made


@pytest.fixture
def live(setup: Setup) -> Iterator[Log]:
    """The log of a live run, with decide at work on it."""
    log = open_run_log(setup)
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=run_stage, args=("decide", setup, stop, ready))
    thread.start()
    assert ready.wait(120)
    log.append([Out("cases", "run", encode(setup.run))])
    yield log
    stop.set()
    thread.join(120)
    log.close()


def settled(log: Log) -> None:
    for _ in range(2400):
        if log.positions("cases", "decide") >= log.ends("cases"):
            return
        threading.Event().wait(0.05)
    raise AssertionError("decide did not come to the end")


def records(log: Log, topic: str) -> list[Record]:
    return [r for _, r in Follower(log, (topic,)).take()]


def officer(setup: Setup, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key of the officer's own, registered by whoever keeps the list."""
    monkeypatch.setenv("FENGSUI_OFFICER_PASSPHRASE", PASSPHRASE)
    file = setup.folder.parent / f"{name}.key"
    public = make_officer_key(file, PASSPHRASE)
    enrol(signer._list(setup), setup.district.id, Signer(key=public, officer=name))
    return file


def now(what: str, by: str, n: int = 0) -> Decision:
    """An act of this moment, for the line's own clock judges how old it is."""
    d = act(what, action=Action.MOVE, by=by, area="A01", order=f"{n:016x}")
    return msgspec.structs.replace(d, decided_at=now_ms())


def wish(by: str, key_file: Path | None = None, what: str = "raise") -> Wish:
    return Wish(what, ("A01",), "flash_flood", by, "河水上岸", action=Action.MOVE, key=key_file)


def test_whoever_has_the_host_is_no_officer_by_saying_so(
    setup: Setup, live: Log, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(setup.folder / "nothing"))
    settled(live)
    before = [r for r in records(live, "cases") if isinstance(r, Decision)]
    with pytest.raises(Usage, match="signer make"):
        order(setup, wish("D-01"), WAIT_S)
    assert [r for r in records(live, "cases") if isinstance(r, Decision)] == before == []

    mine = officer(setup, "D-01", monkeypatch)
    assert order(setup, wish("D-01", mine), WAIT_S) == 0
    assert "✓ A01" in capsys.readouterr().out
    assert order(setup, wish("K-01", mine), WAIT_S) == 1
    assert "somebody else's key" in capsys.readouterr().out

    live.append([Out("cases", "A01", encode(now("cancel", "K-01")))])
    settled(live)
    last = [r for r in records(live, "alerts") if isinstance(r, Decision)][-1]
    assert (last.by, last.act, last.unproven) == ("K-01", "cancel", "unsigned")
    letters = [r.reason for r in records(live, "dead-letters") if isinstance(r, DeadLetter)]
    assert letters == ["unproven_decision"] * 2
    open_now = [r for r in records(live, "alerts") if isinstance(r, Alert)][-1]
    assert (open_now.action, open_now.public, open_now.by) == (Action.MOVE, True, "D-01")

    # the key is lost: revoked while decide runs, it counts no more, at once
    public = key(officer_key(mine, PASSPHRASE))
    retire(signers_folder(setup) / FILE, setup.district.id, public, signer.handled(setup), now_ms())
    assert order(setup, wish("D-01", mine, "cancel"), WAIT_S) == 1
    assert "was revoked" in capsys.readouterr().out


def test_the_ledger_proves_who_decided(setup: Setup, live: Log, tmp_path: Path) -> None:
    desk = Desk(setup.folder, signers_folder(setup), "live", setup.district.id, lambda: 0)
    for n, what in enumerate(("raise", "hold", "cancel")):
        live.append([Out("cases", "A01", encode(desk.sign(now(what, "D-01", n))))])
    live.append([Out("cases", "A01", encode(now("cancel", "K-01")))])
    settled(live)
    stop = threading.Event()
    ledger = Ledger(live, "t", ledger_keys(setup.folder, True).private, lambda: T0, stop)
    for _ in range(2400):
        if live.positions("alerts", "ledger-alerts") >= live.ends("alerts"):
            break
        stop.wait(0.05)
    stop.set()
    ledger.close()
    folder = tmp_path / "ledger"
    export_ledger(setup, live, folder, T0)
    found = verify(folder, [])
    assert found.faults == []
    assert (found.proofs.right, found.proofs.none) == (3, 0)
    assert list(found.proofs.keys) == [desk.public()]


def test_what_stands_in_cases_is_asked_and_never_done_whatever_it_says(
    setup: Setup, live: Log
) -> None:
    """Nobody who can write there makes a page or a report show what decide has not said."""
    before = [r for r in records(live, "cases") if isinstance(r, Decision)]
    assert before == []
    for n, what in enumerate(("cancel", "task", "accept")):
        forged = msgspec.structs.replace(
            now(what, "K-01", n), outcome="done", answer="办妥", hash="f" * 64, previous="e" * 64,
            alert="huailai nonsense", unproven="",
        )  # fmt: skip
        live.append([Out("cases", "A01", encode(forged))])
    settled(live)
    view, trail, crossing = View(), Trail(), look_of(live).crossing
    for _, record in Follower(live).take():
        view.take(record)
        trail.take(record, view)
    assert crossing.words == {}
    assert {(d.outcome, d.unproven) for d in trail.decisions} == {("refused", "unsigned")}
    assert len(trail.decisions) == 3
    assert not [e for e in trail.shift.entries if "办妥" in e.zh]


def test_a_run_that_is_restored_judges_each_act_as_it_was_judged(
    setup: Setup, live: Log, tmp_path: Path
) -> None:
    listed = signer._list(setup)
    enrol(listed, setup.district.id, Signer(key=key(OWN), officer="D-01"))
    good = signed(now("raise", "D-01"), OWN, "live", "yanqing")
    forged = now("cancel", "K-01")
    live.append([Out("cases", "A01", encode(d)) for d in (good, forged)])
    settled(live)
    retire(listed, setup.district.id, key(OWN), signer.handled(setup), now_ms())
    file = tmp_path / "run.tar.gz"
    take(setup, setup.district.folder, file, T0)

    there = tmp_path / "there"
    made = restore(file, "", lambda d, name: make_setup(d, name, there))
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=run_stage, args=("decide", made, stop, ready))
    thread.start()
    log = open_run_log(made)
    try:
        assert ready.wait(120)
        # it remembers the order to move, and that nobody ended it
        mine = Desk(made.folder, signers_folder(made), "live", made.district.id, lambda: 0)
        late = signed(now("cancel", "D-01", 2), OWN, "live", "yanqing")
        mine_says = mine.sign(now("cancel", "D-01", 1))
        log.append([Out("cases", "A01", encode(d)) for d in (good, late, mine_says)])
        settled(log)
        last = [r for r in records(log, "alerts") if isinstance(r, Decision)][-1]
        assert (last.act, last.outcome) == ("cancel", "done")
        letters = [r.reason for r in records(log, "dead-letters") if isinstance(r, DeadLetter)]
        assert letters == ["unproven_decision"] * 3
        why = [r.unproven for r in records(log, "alerts") if isinstance(r, Decision) and r.unproven]
        assert why == ["unsigned", "revoked", "revoked"]
    finally:
        stop.set()
        thread.join(120)
        log.close()


def test_an_exercise_signs_by_itself(tmp_path: Path) -> None:
    line = Line()  # the tests' own desk, as every exercise has one
    assert line.feed(act("raise", action=Action.MOVE, by="P-7"))[-1].by == "P-7"


def test_who_may_sign_is_kept_by_commands_and_stands_on_the_duty_rooms_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGSUI_OFFICER_PASSPHRASE", PASSPHRASE)

    def say(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli, ["--state", str(tmp_path), "signer", *words])
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    def refused(*words: str) -> None:
        done = CliRunner().invoke(cli, ["--state", str(tmp_path), "signer", *words])
        assert isinstance(done.exception, Usage), done.output

    made = say("make", "K-01", "--out", str(tmp_path / "mine.key")).split()[-1]
    say("add", "K-01", made)
    refused("add", "K-02", made)  # one key, one person
    refused("add", "nobody", key(OWN))
    refused("add", "--desk", "K-01", key(OWN))
    refused("add", "K-01", "not a key")
    say("add", "--desk", key(DESK), "--name", "second room")
    first = say("desk").strip()
    second = say("desk", "--new").strip()
    assert second != first
    say("revoke", made[:10])
    refused("revoke", made[:10])
    listed = say("list")
    assert listed.startswith("live: 自 cases/0/0 起")
    assert {made, key(DESK), second} <= set(listed.split())
    revoked = [line for line in listed.splitlines() if "revoked" in line]
    assert [line.split()[0] for line in revoked] == [made]
    users = Users(tmp_path / "live")
    noted = [what for _, _, what, _ in (tuple(n)[:4] for n in users.noted())]
    users.close()
    assert [w for w in noted if w.startswith("signer")] == [
        "signer add", "signer add", "signer desk", "signer revoke",
    ]  # fmt: skip
