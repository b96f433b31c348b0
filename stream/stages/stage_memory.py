"""A stage's memory and its records: read, stepped, rebuilt from the log. Whatever one record holds, the
rest goes on.

A record that cannot be read, or on which a stage fails, is left out and becomes a dead letter. The
stage fails at the same record at every rebuild, so the memory is the same whoever rebuilds it. What
is no record's fault (the log, the disk, the machine's memory) is raised.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from config.language import Text
from stream.guard import fault
from stream.log.port import Consumer, Corrupt, Entry, Fenced, Log, Out, Piece, Snapshot
from stream.oplog import say
from stream.records import DeadLetter, Record, Run, decode, encode
from stream.stages.run_identity import another
from stream.stages.stage import InPieces, Item, Stage

_CAREFUL = 50  # batches after a failure of which a copy is at hand
NOT_THE_RECORD = (Fenced, Corrupt, OSError, MemoryError)


class Bad(NamedTuple):
    """A record that is left out. where: of the program, and what was raised there; no word of the
    record's own."""

    entry: Entry
    reason: str  # undecodable_record, wrong_run or failed_record
    where: str = ""


class Taken(NamedTuple):
    """What became of a batch."""

    state: Any
    outs: list[Out]
    items: list[Item]
    bad: list[Bad]


class Hand:
    """A stage as the runner drives it. run: what this process was started for; a `Run` of another
    kind or district is no record of it."""

    def __init__(self, stage: Stage, run: Run | None = None) -> None:
        self.stage, self.run = stage, run
        self._careful = 0

    def read(self, value: bytes) -> Record | None:
        """None for what is no record of the stage's topic."""
        return decode(self.stage.decode, value)

    def _read(self, entries: Sequence[Entry]) -> tuple[list[tuple[Item, Entry]], list[Bad]]:
        good, bad = [], []
        for entry in entries:
            record = self.read(entry.value)
            if record is None:
                bad.append(Bad(entry, "undecodable_record"))
            elif isinstance(record, Run) and self.run is not None and another(self.run, record):
                bad.append(Bad(entry, "wrong_run"))
            else:
                item = Item(entry.partition, entry.offset, entry.key, record)
                good.append((item, entry))
        return good, bad

    def take(
        self, partition: int, state: Any, entries: Sequence[Entry], before: Callable[[], Any]
    ) -> Taken:
        """Step these. before: makes the state anew as it was before them, for after a failure the
        one given is spoilt."""
        good, bad = self._read(entries)
        copy = self.stage.dump(state) if self._careful else None
        self._careful = max(0, self._careful - 1)
        try:
            state, outs = self._whole(state, good)
        except NOT_THE_RECORD:
            raise
        except Exception:  # noqa: BLE001  # one of the records: it is found and left out
            copy = self.stage.dump(before()) if copy is None else copy
            self._careful = _CAREFUL
            state, outs, failed = self._apart(partition, copy, good)
            out = {b.entry.offset for b in failed}
            good = [g for g in good if g[1].offset not in out]
            bad += failed
        return Taken(state, outs, [item for item, _ in good], bad)

    def _whole(self, state: Any, good: Sequence[tuple[Item, Entry]]) -> tuple[Any, list[Out]]:
        state, writes = self.stage.step(state, [item for item, _ in good])
        return state, [Out(w.topic, w.key, encode(w.record), w.partition) for w in writes]

    def _apart(
        self, partition: int, copy: bytes, good: Sequence[tuple[Item, Entry]]
    ) -> tuple[Any, list[Out], list[Bad]]:
        """Step all but the records at which the stage fails, from a copy of the state before them:
        halves, for two steps over the halves are one over the whole."""
        state = self.stage.load(partition, copy)
        try:
            return *self._whole(state, good), []
        except NOT_THE_RECORD:
            raise
        except Exception as e:  # noqa: BLE001  # narrowed down until one record is left
            if len(good) == 1:
                failed = Bad(good[0][1], "failed_record", fault(e))
                return self.stage.load(partition, copy), [], [failed]
        middle = len(good) // 2
        state, outs, bad = self._apart(partition, copy, good[:middle])
        state, more, worse = self._apart(partition, self.stage.dump(state), good[middle:])
        return state, outs + more, bad + worse

    def dead(self, bad: Bad, received_at: int) -> Out:
        """The dead letter of a record that was left out."""
        e, name = bad.entry, self.stage.name
        detail = {
            "undecodable_record": Text(
                f"{name} 读不懂这条记录：别的程序或更新的版本写的",
                f"{name} cannot read this record: another program or a newer version wrote it",
            ),
            "wrong_run": Text(
                f"{name}: 这条记录说的是另一运行，已跳过：查清哪个程序写错了运行",
                f"{name}: this record speaks of another run and is passed over: find the "
                "program that writes into the wrong run",
            ),
            "failed_record": Text(
                f"{name} 处理这条记录时出错，已隔离，其余照常：{bad.where}。请告知制作者",
                f"{name} failed at this record and goes on without it: {bad.where}. Tell the "
                "makers",
            ),
        }[bad.reason]
        source = f"{self.stage.reads}/{e.partition}/{e.offset}"
        letter = DeadLetter.of(received_at, source, bad.reason, detail, e.value)
        if bad.reason != "undecodable_record":
            say(name, f"{letter.source}: " + detail)
        return Out("dead-letters", e.key, encode(letter))


def rebuild(
    hand: Hand,
    log: Log,
    consumer: Consumer,
    partition: int,
    until: int,
    beat: Callable[[], None] = lambda: None,
) -> Any:
    """The state after every record before `until`, from the newest snapshot that is not newer.
    `beat` is called now and then: it may take minutes."""
    stage = hand.stage
    state, position = stage.new(partition), 0
    snapshot = consumer.snapshot(partition)
    if snapshot is not None and snapshot.position <= until:
        state, position = _remembered(stage, partition, snapshot)
    oldest = log.starts(stage.reads)[partition]
    if position < min(oldest, until):
        say(
            stage.name,
            Text(
                f"{stage.reads}/{partition}: 没有快照，日志又从 {oldest} 开始：此前的事不记得"
                "（前些天的雨、在办的预警）；请人工核对",
                f"{stage.reads}/{partition}: no snapshot, and the log begins at {oldest}: what "
                "was before it is not remembered (rain of earlier days, open warnings); "
                "compare by hand",
            ),
        )
    while position < until:
        beat()
        entries = [e for e in log.read(stage.reads, partition, position) if e.offset < until]
        if not entries:
            break

        def before(first: int = entries[0].offset) -> Any:
            return rebuild(hand, log, consumer, partition, first, beat)

        state = hand.take(partition, state, entries, before).state
        position = entries[-1].offset + 1
    return state


def _remembered(stage: Stage, partition: int, snapshot: Snapshot) -> tuple[Any, int]:
    """The state of a snapshot, and its position; an empty one at 0 where this build cannot read it, for a newer
    one wrote it, or an older."""
    try:
        bodies = [
            msgspec.msgpack.decode(body, type=tuple[int, bytes])
            for body in snapshot.pieces or (snapshot.body,)
        ]
        form = max(form for form, _ in bodies)
        if form <= stage.format:
            state = _loaded(stage, partition, [body for _, body in bodies])
            _tell_difference(stage, partition, bodies[-1][1], same_form=form == stage.format)
            return state, snapshot.position
        words = Text(
            f"快照格式 {form} 比本版的 {stage.format} 新，不用，从日志重建",
            f"snapshot of format {form}, mine is {stage.format}: left aside, rebuilt from the log",
        )
    except NOT_THE_RECORD:
        raise
    except Exception as e:  # noqa: BLE001  # whatever another build may have written
        words = Text(
            f"快照读不懂（{fault(e)}），多半是别的版本写的：不用，从日志重建",
            f"a snapshot that this version cannot read ({fault(e)}), as another version writes: left "
            "aside, rebuilt from the log",
        )
    say(stage.name, words)
    return stage.new(partition), 0


def _loaded(stage: Stage, partition: int, bodies: Sequence[bytes]) -> Any:
    if len(bodies) == 1:
        return stage.load(partition, bodies[0])
    return getattr(stage, "load_pieces")(partition, bodies)  # noqa: B009  # of `InPieces`, which wrote them


def _parts(body: bytes) -> frozenset[str]:
    """The names of what a memory is made of; none where it is no map. What begins with _ is of the form."""
    try:
        names = msgspec.msgpack.decode(body, type=dict[str, msgspec.Raw])
        return frozenset(name for name in names if not name.startswith("_"))
    except msgspec.MsgspecError:
        return frozenset()


def _tell_difference(stage: Stage, partition: int, body: bytes, *, same_form: bool) -> None:
    """Say what only one of the two versions remembers: the snapshot is good for all the rest, and reading all
    anew with other rules could differ from what went out already. Of an older form `load` knows what became
    of each part."""
    theirs, mine = _parts(body), _parts(stage.dump(stage.new(partition)))
    if same_form and (dropped := ", ".join(sorted(theirs - mine))):
        say(
            stage.name,
            Text(
                f"快照是较新的版本写的，本版不记得：{dropped}；其余照用",
                f"a newer version wrote the snapshot; this one does not remember: {dropped}; the "
                "rest is used",
            ),
        )
    if missing := ", ".join(sorted(mine - theirs)) if theirs else "":
        say(
            stage.name,
            Text(
                f"快照是较旧的版本写的，没有：{missing}；从现在起记。换回新版时，请对照在办的预警和订阅",
                f"an older version wrote the snapshot, without: {missing}; remembered from now on. Back "
                "from an older version, compare the open warnings and the list of subscribers",
            ),
        )


def snapshot_body(stage: Stage, state: Any) -> bytes:
    """A snapshot as `rebuild` reads it."""
    return msgspec.msgpack.encode((stage.format, stage.dump(state)))


def snapshot_piece(stage: Stage, state: Any, *, whole: bool) -> Piece | None:
    """The next piece of one; None of a stage that writes its memory at once."""
    if not isinstance(stage, InPieces):
        return None
    made = stage.piece(state, whole=whole)
    return made._replace(body=msgspec.msgpack.encode((stage.format, made.body)))
