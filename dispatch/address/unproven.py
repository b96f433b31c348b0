"""What address says of records that prove nobody's word, or are of the wrong kind of run. Pure."""

from config.language import Text, en, zh
from config.records.level import HAZARD_EN, HAZARD_ZH, Level
from dispatch.notices import UNPROVEN, drill_mark, duty_notice
from dispatch.records import Alert, Decision, Delivery
from stream.records import DeadLetter, Run


def unproven_notice(d: Decision, live: bool, at: int) -> Delivery:
    """Tell the duty room of an act that was refused, for nobody is proved to have made it: somebody
    may be writing in another's name."""
    text = drill_mark(live) + Text(
        f"有人冒名？未证明是本人的操作，没有执行：{d.by} {d.act} {d.area} "
        f"{HAZARD_ZH.get(d.hazard, d.hazard)}：{zh(d.answer)}请问本人；不是本人，即查日志的写入者",
        f"NOT PROVED, not carried out: {d.by} {d.act} {d.area} "
        f"{HAZARD_EN.get(d.hazard, d.hazard)}: {en(d.answer)} Ask them; if it was not them, find "
        "who writes to the log",
    )
    name = f"{UNPROVEN}{d.hash[:16]}"
    return duty_notice(
        name,
        name,
        Text("未证明的操作", "not proved"),
        text,
        at,
        alert=name,
        status="actual" if live else "exercise",
        level=Level.RED,
    )


def stray(record: Run | Alert | Delivery, live: bool, at: int) -> DeadLetter:
    """A record of an exercise in a live run (`live`), or the other way round."""
    return DeadLetter.of(
        at,
        "alerts" if isinstance(record, Alert) else "deliveries",
        "exercise_record_in_live_run" if live else "live_record_in_exercise",
        Text(
            "一律不发，查清哪个程序写错了运行",
            "nothing of it is sent; find the program that writes to the wrong run",
        ),
        record,
    )
