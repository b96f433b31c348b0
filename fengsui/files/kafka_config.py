"""`fengsui broker-config kafka DIR`: a user a program on Kafka, with a password of its own and the
rights that its work needs, from one table.

What a stage reads stands in `fengsui.run.processes.READS`, what it writes here; groups, transactional ids and
the topic of snapshots follow. What no right can divide is told in docs/threats.md: `cases` has other
writers than the detectors: the desk, and those through whom residents subscribe; so people's decisions in it
are signed.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path

from config.language import Text
from dispatch.ledger.chain import CHAINS
from dispatch.ledger.writer import group
from fengsui.run.run_log import READS, open_run_log
from fengsui.run.setup import Setup
from stream.disk.files import create_file
from stream.environment import Usage
from stream.log.kafka_url import INTERNAL, Right

# program -> topics that it writes. A stage writes into its own input too: the time (Tick), and what
# run it is (stream/stages/run_identity.py).
WRITES: dict[str, tuple[str, ...]] = {
    "ingest": ("observations", "dead-letters"),
    "camera": ("observations", "dead-letters"),
    "telemetry": ("observations", "dead-letters"),
    "weather": ("observations", "dead-letters"),
    "detect": ("cases", "dead-letters", "observations"),
    "decide": ("alerts", "dead-letters", "cases"),
    "address": ("deliveries", "dead-letters", "alerts"),
    # what people say by SMS, and who subscribed by it
    "send": ("deliveries", "dead-letters", "observations", "cases"),
    # who subscribed on the public page, and the message with the code
    "residents": ("cases", "deliveries"),
    "archive": ("ledger", "dead-letters"),
    # what people decide, what they have sent again, which station is in service
    "console": ("cases", "deliveries", "observations"),
    "audit": (),
    # the command line: order, resend, station service; status, export, backup
    "operator": ("cases", "deliveries", "observations"),
}
# what a program reads that is no stage: ingest and telemetry the last time, camera what makes it faster
_LOOKS = {
    "ingest": ("observations",),
    "telemetry": ("observations",),
    # what a crash has left of a file: letters too
    "weather": ("observations", "dead-letters"),
    "camera": ("observations", "cases"),
    # which places are closed; and the time, of an exercise
    "residents": ("alerts", "observations"),
}
_ALL = ("archive", "console", "audit", "operator")  # who reads every topic


def user(program: str) -> str:
    """The program's name on Kafka."""
    return f"fengsui-{program}"


def groups(program: str) -> list[tuple[str, str]]:
    """(group, topic) that it is a member of; the group's topic may be "" for any."""
    if program == "archive":
        return [("archive", ""), *((group(c), c) for c in CHAINS)]
    return [(program, READS[program])] if program in READS else []


def rights(program: str, prefix: str) -> Iterator[Right]:
    """What a program may do with the topics of a run; prefix: `KafkaLog.prefix`."""
    # whoever opens the log holds its topics against the config; and how far another has come is told
    yield Right("topic", f"{prefix}.", "describe", prefix=True)
    yield Right("group", f"{prefix}.", "describe", prefix=True)
    reads = [READS[program]] if program in READS else _LOOKS.get(program, ())
    if program in _ALL:
        yield Right("topic", f"{prefix}.", "read", prefix=True)
    else:
        yield from (Right("topic", f"{prefix}.{t}", "read") for t in reads)
    for topic in WRITES[program]:
        yield Right("topic", f"{prefix}.{topic}", "write")
    for name, topic in groups(program):
        whole = f"{prefix}.{name}.{topic}"
        yield Right("group", whole, "read", prefix=not topic)
        # one a partition
        yield from _transactions(whole + "." * bool(topic))
    if program == "operator":  # status tells what the log keeps when the power goes
        for topic, begins in ((f"{prefix}.", True), *((t, False) for t in INTERNAL)):
            yield Right("topic", topic, "describe_configs", prefix=begins)
        yield from (Right("topic", t, "describe") for t in INTERNAL)
    if groups(program):
        yield Right("topic", f"{prefix}.snapshots", "read")
        yield Right("topic", f"{prefix}.snapshots", "write")
    if WRITES[program]:
        yield from _transactions(f"{prefix}.append.{user(program)}.")


def _transactions(begins: str) -> Iterator[Right]:
    yield Right("transactional_id", begins, "write", prefix=True)
    yield Right("transactional_id", begins, "describe", prefix=True)


def write_kafka(setup: Setup, folder: Path) -> tuple[int, int]:
    """Topics, users and rights of the run, by the administrator's address in FENGSUI_LOG; a file a
    user with its password, kept where it is there. Raises Usage, Unavailable."""
    if not setup.log.startswith(("kafka:", "kafkas:")):
        raise Usage(
            Text(
                "FENGSUI_LOG: 须为管理员的 Kafka 地址，kafka://…",
                "FENGSUI_LOG: must be an administrator's kafka://…",
            )
        )
    from stream.log.kafka import KafkaLog  # the client is an extra
    from stream.log.kafka_rights import lay_down

    log = open_run_log(setup)  # makes the topics
    if isinstance(log, KafkaLog):
        log.sync()
    log.close()
    prefix = f"fengsui.{setup.district.id}.{setup.run.name}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    passwords = {user(p): _password(folder / f"kafka_{p}") for p in WRITES}
    table = {user(p): list(rights(p, prefix)) for p in WRITES}
    return lay_down(setup.log, table, passwords, f"{prefix}.")


def _password(file: Path) -> str:
    """The one in the file; a new one where there is none."""
    if not file.exists():
        create_file(file, secrets.token_urlsafe(24).encode() + b"\n")
    found = file.read_text().strip()
    if not found:
        raise Usage(
            Text(f"{file}: 是空的，删掉后重来", f"{file}: is empty, delete it and run this again")
        )
    return found
