"""What of the promise that nothing is lost holds here, and on what condition. Pure."""

from collections.abc import Iterator

from config.language import Text
from fengsui.doctor.case import Case
from fengsui.doctor.words import OURS
from stream.log.kept import holds, told
from stream.log.port import Kept


def of_line(kept: Kept, broker: str) -> Iterator[Text]:
    """Of the whole line. kept: what the log says of itself; broker: its address, "": the embedded one."""
    if not broker:
        yield Text(
            "内置 MQTT 服务器把没送达的留在内存：它一停，设备发了而我们没收的就没了；实战用 mosquitto",
            "the embedded MQTT broker keeps what is not delivered in memory: when it stops, what devices sent "
            "and we have not taken is gone; use mosquitto for a live run",
        )
    else:
        yield Text(
            "服务器收下而我们没收的，只在它开了持久化（persistence）且没超队列时不丢；断电可能丢最后一秒",
            "what the broker has taken and we have not is kept only with its persistence on and within its "
            "queues; a power cut may cost the last second",
        )
    yield ("" if holds(kept) else "! ") + told(kept)
    if kept.copies == 1:
        yield Text(
            "日志只有一份：盘坏就丢；备份用 fengsui backup，要副本用三台 Kafka",
            "there is one copy of the log: it does not outlive its disk; fengsui backup, or three Kafka "
            "brokers for replicas",
        )


def of_thing(case: Case, name: str) -> Iterator[Text]:
    """Of one station."""
    thing = case.heard.of(name)
    if name not in case.district.stations or thing.last is None:
        return
    rows = [r for r in case.district.telemetry if r.station == name]
    if rows:
        if any(r.mode == "M1" for r in rows):
            yield Text(
                "M1 方式不等应答：路上丢的报不会重发",
                "in mode M1 it waits for no answer: a report lost on its way is not said again",
            )
        return
    if thing.numbers is None:
        yield Text(
            "读数没有序号（seq）：设备到服务器之间丢了也看不出，只能从缺口看",
            "its readings carry no number (seq): what is lost between device and broker shows as a gap alone",
        )
    if thing.last.test in OURS:
        yield Text(
            "没有自己的时间：补发的和重复的分不清",
            "they have no time of their own: what is sent again cannot be told from news",
        )
