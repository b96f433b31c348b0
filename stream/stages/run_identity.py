"""What run a log belongs to. The first record of a topic, a `Run`, says it to whoever reads it; a stage
itself knows what it was started for and never guesses.

A stage of a live run that finds a partition whose memory does not know the run puts its own `Run`
there before its first `Tick`: so it stands first, whoever is up first, and a log that was begun
without it is mended at the next start. A `Run` of another kind or district is never taken over: at
the head of a partition the stage refuses to work, in the midst it is a dead letter.
"""

from collections.abc import Callable, Sequence

from config.language import Text, en, zh
from stream.log.port import Corrupt, Log, Out, Unavailable
from stream.oplog import say
from stream.records import Record, Run, encode

RUN_KEY = "run"
Head = Callable[[bytes], Record | None]


class WrongRun(Corrupt):
    """The log or a snapshot in it belongs to another run; the message says what to do."""


class UnknownRun(Exception):
    """Neither the log nor whoever started the stage says what the run is."""


def another(run: Run, found: Run) -> bool:
    """Is `found` no word on this run? An exercise that was restored keeps its old name."""
    return (found.kind, found.district) != (run.kind, run.district)


def check(run: Run, found: Run | None, where: str) -> None:
    """Raises `WrongRun` if what stands at `where` is another run's."""
    if found is not None and another(run, found):
        raise WrongRun(
            Text(
                f"{where}: 属于另一运行 {found.name}（{found.kind}，{found.district}），这里是 "
                f"{run.name}（{run.kind}，{run.district}）：什么也不做。给本运行单独的目录或主题"
                "（--state、--log），或把这些移开",
                f"{where}: belongs to {found.name} ({found.kind}, {found.district}), this is "
                f"{run.name} ({run.kind}, {run.district}): nothing is done with it. Give this "
                "run its own folder or topics (--state, --log), or move these away",
            )
        )


def known(runs: list[Run], found: Run) -> bool:
    """Has the run said so before? Members that start at once each say it, with their own clock."""
    return any(not another(r, found) and r.name == found.name for r in runs)


def is_live(started: bool | None, runs: Sequence[Run]) -> bool:
    """Is it a live run, by what the process was started for, or else by the log? Raises `UnknownRun`
    where neither says it: nothing is judged or released on a guess."""
    if started is not None:
        return started
    if not runs:
        raise UnknownRun(
            Text("还不知道是实战还是演练", "nothing says yet whether this run is live")
        )
    return runs[-1].kind == "live"


def begin(log: Log, run: Run) -> None:
    """The run record stands first in every partition of observations. Where the log cannot be
    written now, a live run's detect tells it what it is.

    Whether one stands there is read: an append that came to nothing moves the end of a partition on Kafka
    too, and whoever looked at the end alone would leave that partition without its run for good."""
    try:
        starts = log.starts("observations")
        for partition, end in enumerate(log.ends("observations")):
            if end == 0 or not log.read("observations", partition, starts[partition], 1):
                log.append([Out("observations", RUN_KEY, encode(run), partition)])
    except Unavailable as e:
        if run.kind != "live":
            raise
        say("run", Text(f"{zh(e)}；稍后由 detect 补记", f"{en(e)}; detect tells it when it can"))


def heal(
    log: Log, run: Run, topic: str, partition: int, position: int, found: Run | None, head: Head
) -> None:
    """Before the first step at `position` with a memory that says the run is `found`: refuse another
    run's, and tell a live run's log what it belongs to where its memory does not know. head: what a
    record says. Raises `WrongRun`."""
    check(run, found, f"{topic}/{partition}")
    if found is not None:
        return
    first = next(iter(log.read(topic, partition, log.starts(topic)[partition], 1)), None)
    said = head(first.value) if first is not None else None
    if first is not None and isinstance(said, Run):
        check(run, said, f"{topic}/{partition}/{first.offset}")
        if position <= first.offset:
            return  # it will be stepped
    if run.kind != "live":
        return  # its start is the scenario's, which ingest knows
    if first is not None:
        words = Text(
            "日志没说是哪个运行，现在补记", "the log does not say what run this is, it is told now"
        )
        say("run", f"{topic}/{partition}: " + words + f": {run.name} ({run.kind})")
    log.append([Out(topic, RUN_KEY, encode(run), partition)])
