"""`fengsui bench target`: one warning for an area with many people on its list, on one core.

The contact store takes them in and gives their choices back; the stage address resolves them,
renders the words and its deliveries are committed to the embedded log; send's outbox queues them.

Baseline: a plain loop over a part of the same people that renders each one's words anew and commits
each delivery by itself.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path

import click
import msgspec

from config.language import Text
from config.records.district import Contact, District
from config.records.level import Action, Level
from dispatch.address.recipients import public
from dispatch.address.stage import Address
from dispatch.grade import Grade
from dispatch.people.contact_store import ContactStore
from dispatch.records import Alert, Delivery
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import Box
from dispatch.send.stage import Send
from dispatch.words.compose import Message, write
from dispatch.words.sample import sample
from fengsui.cli.options import Shared
from fengsui.run.service import calm_collector
from fengsui.run.terminal import echo
from stream.environment import spoken
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.records import encode
from stream.stages.stage import Item

_AT = 1_753_531_200_000  # 2025-07-26 20:00 in Beijing
_PLAIN = 500  # people of the baseline
_CATEGORIES = ("", "school", "care_home", "camp", "mine", "construction", "tourist")
_WAYS = (("sms",), ("app", "sms"), ("sms", "app"), ("voice", "sms"), ("email",))


@click.command("target")
@click.option(
    "--count",
    default=100_000,
    show_default=True,
    help=spoken(Text("收件人数", "how many recipients")),
)
@click.pass_obj
def bench_target(obj: Shared, count: int) -> None:
    """定向测速：一区 COUNT 个接收者的解析、成文、入列，与朴素循环相比。

    COUNT recipients of one area resolved, rendered and queued, beside a plain loop.
    """
    district: District = obj.district()
    with tempfile.TemporaryDirectory() as at:
        _measure(district, Path(at), count)


def _people(count: int, area: str) -> list[Contact]:
    return [
        Contact(
            id=f"T{n:06}",
            name="bench",
            role="residents",
            areas=(area,),
            lang="en" if n % 10 == 0 else "zh",
            channels=_WAYS[n % len(_WAYS)],
            min_level=Level.BLUE,
            phone=f"199{n:08}",
            app=f"app-{n}",
            email=f"t{n}@bench.example",
            category=_CATEGORIES[n % len(_CATEGORIES)],  # type: ignore[arg-type]
        )
        for n in range(count)
    ]


def _measure(district: District, folder: Path, count: int) -> None:
    area = next(iter(district.areas.values()))
    alert = sample(area.id, area.hazards[0], Grade(Level.RED, Action.MOVE), _AT)
    with ContactStore(folder / "run") as store:
        begun = time.perf_counter()
        store.put(_people(count, area.id))
        taken = time.perf_counter()
        people = store.load()
        loaded = time.perf_counter()
    echo(
        Text(
            f"库：{count} 人加密入库 {taken - begun:.2f} s，读出 {loaded - taken:.2f} s",
            f"store: {count} taken in, encrypted, {taken - begun:.2f} s; read {loaded - taken:.2f} s",
        )
    )
    made = msgspec.structs.replace(district, contacts={**district.contacts, **people})
    log = open_log(f"sqlite:///{folder}/log", "exercise-bench", district.id, 1, {})

    calm_collector()  # as every stage runs
    cpu, begun = time.process_time(), time.perf_counter()
    stage = Address(made)
    _, writes = stage.step(stage.new(0), [Item(0, 0, "", alert)])
    stepped = time.perf_counter()
    outs = [Out("deliveries", w.key, encode(w.record)) for w in writes]
    encoded = time.perf_counter()
    log.append(outs)
    queued, cpu = time.perf_counter(), time.process_time() - cpu
    found = Counter(w.record.recipient for w in writes if isinstance(w.record, Delivery))
    assert all(found[name] == 1 for name in people), "somebody was forgotten, or told twice"
    texts = {r.text for w in writes if isinstance(w.record, Delivery) for r in w.record.routes}
    whole, made_s = f"{queued - begun:.2f} s", f"{stepped - begun:.2f}"
    coded, kept = f"{encoded - stepped:.2f}", f"{queued - encoded:.2f}"
    used = f"CPU {cpu:.2f} s, {sum(len(o.value) for o in outs) / 1e6:.0f} MB"
    echo(
        Text(
            f"{len(found)} 个收件人，{len(texts)} 种文字：{whole} = 定向成文 {made_s} + 编码 {coded} + 入队 "
            f"{kept}；{used}",
            f"{len(found)} recipients, {len(texts)} different texts: {whole} = resolved and rendered "
            f"{made_s} + encoded {coded} + committed {kept}; {used}",
        )
    )
    _outbox(made, log)
    plain = _plain(made, alert, log)
    each = (queued - begun) / len(found)
    loop, here, times = f"{plain * 1e3:.2f} ms", f"{each * 1e3:.3f} ms", f"{plain / each:.0f}"
    echo(
        Text(
            f"朴素循环：每人 {loop}（{_PLAIN} 人；{count} 人约 {plain * count:.0f} s）；此处 {here}："
            f"{times} 倍",
            f"plain loop: {loop} a person ({_PLAIN} people; {count} would take {plain * count:.0f} s); "
            f"here {here}: {times} times",
        )
    )
    log.close()


def _outbox(district: District, log: Log) -> None:
    """What send does with them before the first attempt."""
    send, box = Send(district, live=False), Box()
    begun, count = time.perf_counter(), 0
    for partition, end in enumerate(log.ends("deliveries")):
        offset = 0
        while offset < end:
            entries = log.read("deliveries", partition, offset)
            for entry in entries:
                apply(send.rules, box, send.decode(entry.value))  # type: ignore[arg-type]
            offset, count = entries[-1].offset + 1, count + len(entries)
    took = f"{time.perf_counter() - begun:.2f} s"
    echo(Text(f"发件箱：{count} 条，又 {took}", f"in send's outbox: {count} in {took} more"))


def _plain(district: District, alert: Alert, log: Log) -> float:
    """Seconds a person, each for itself."""
    begun = time.perf_counter()
    found = [t for t in public(district, alert, ()) if t.recipient.startswith("T")]
    resolved = time.perf_counter() - begun
    begun = time.perf_counter()
    for target in found[:_PLAIN]:
        message = Message(alert, target.kind, "en" if target.lang == "en" else "zh")
        routes = tuple(write(district, message, c) for c in target.channels)
        delivery = Delivery(
            id=target.recipient,
            alert="plain",
            version=1,
            area=alert.area,
            hazard=alert.hazard,
            level=alert.level,
            action=alert.action,
            msg_type="alert",
            status="exercise",
            recipient=target.recipient,
            audience="public",
            routes=routes,
            queued_at=_AT,
            deadline_at=_AT,
            expires_at=_AT,
        )
        log.append([Out("deliveries", "plain", encode(delivery))])
    return resolved / len(found) + (time.perf_counter() - begun) / min(_PLAIN, len(found))
