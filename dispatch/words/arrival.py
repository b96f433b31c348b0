"""When the water may be there, in words: for those who must decide as it was reckoned, for a village
rounded outward to five or ten minutes and with the hours as people say them. Pure.

A time of arrival is distance over a celerity between two bounds (`dispatch.geography.downstream`,
`detectors.water.cascade`): a range, and nothing of it is sure to the minute. What is spoken names its
beginning alone, for that is what counts for who must leave.
"""

from config.records.district import District
from dispatch.geography.downstream import Hit, areas_below
from dispatch.records import Alert
from dispatch.words.evidence import flooding_by
from dispatch.words.local_time import hour, local
from dispatch.words.spoken import clock

_NAMED = 3  # areas: more would not fit into an SMS
_MIN = 60_000
_FINE_MS = 30 * _MIN  # a range that is wider is told to ten minutes
_WHAT = {"debris_flow": ("泥石流", "Debris flow")}
_FLOOD = ("洪水", "Flood")


def arrival(district: District, a: Alert, lang: str) -> str:
    """预计10:36–11:42到达: when a wave on its way may be there, for who decides; of a forecast by when:
    可能在21:10前成灾; "" where nothing is known."""
    if a.msg_type == "cancel":
        return ""
    if a.earliest_at is None or a.latest_at is None:
        return _by(district, a, lang)
    zh, zone = lang == "zh", district.timezone
    soon, late = local(a.earliest_at, zone, "%H:%M"), local(a.latest_at, zone, "%H:%M")
    if a.latest_at <= a.sent_at:
        return "洪水可能已到" if zh else "It may be there already"
    if a.earliest_at <= a.sent_at:
        return f"随时可能到，最迟{late}" if zh else f"It may come at any time, by {late}"
    return f"预计{soon}–{late}到达" if zh else f"Expected {soon}-{late}"


def _by(district: District, a: Alert, lang: str) -> str:
    by = flooding_by(a)
    if by is None:
        return ""
    until = local(by, district.timezone, "%H:%M")
    return f"可能在{until}前成灾" if lang == "zh" else f"It may come by {until}"


def in_public(district: District, a: Alert, lang: str) -> str:
    """洪水预计约10点35分到11点45分到达, for a village; "" where no time is known."""
    span = _rounded(a)
    if span is None:
        return ""
    zh, zone, what = lang == "zh", district.timezone, _WHAT.get(a.hazard, _FLOOD)
    if span[1] <= a.sent_at:
        return f"{what[0]}可能已到" if zh else f"{what[1]} may be here already"
    if zh:
        soon, late = (hour(at, a.sent_at, zone) for at in span)
        if span[0] <= a.sent_at:
            return f"{what[0]}随时可能到达，最晚约{late}"
        return (
            f"{what[0]}预计约{soon}到{late}到达" if soon != late else f"{what[0]}预计约{soon}到达"
        )
    soon, late = (local(at, zone, "%H:%M") for at in span)
    if span[0] <= a.sent_at:
        return f"{what[1]} may come at any time, by about {late}"
    return (
        f"{what[1]} expected about {soon}-{late}"
        if soon != late
        else f"{what[1]} expected about {soon}"
    )


def in_short(district: District, a: Alert, lang: str) -> str:
    """洪水约10点35分到, Comes ~10:30: where an SMS has no room for more."""
    span, what = _rounded(a), _WHAT.get(a.hazard, _FLOOD)
    if span is None:
        return ""
    if lang == "zh":
        soon = hour(span[0], a.sent_at, district.timezone)
        return f"{what[0]}随时会到" if span[0] <= a.sent_at else f"{what[0]}约{soon}到"
    if span[0] <= a.sent_at:
        return "Comes any time"
    return f"Comes ~{local(span[0], district.timezone, '%H:%M')}"


def aloud(district: District, a: Alert) -> str:
    """洪水预计约十点三十五分到达, as a loudspeaker says it."""
    span, what = _rounded(a), _WHAT.get(a.hazard, _FLOOD)[0]
    if span is None:
        return ""
    if span[1] <= a.sent_at:
        return f"{what}可能已到。"
    if span[0] <= a.sent_at:
        return f"{what}随时可能到达。"
    return f"{what}预计约{hour(span[0], a.sent_at, district.timezone, _about)}到达。"


def _about(hour_: int, minute: int) -> str:
    return clock(hour_, minute).removesuffix("整")


def _rounded(a: Alert) -> tuple[int, int] | None:
    """The range (ms), outward to whole steps; None where none is known."""
    if a.earliest_at is None or a.latest_at is None or a.msg_type == "cancel":
        return None
    step = (5 if a.latest_at - a.earliest_at <= _FINE_MS else 10) * _MIN
    return a.earliest_at // step * step, -(-a.latest_at // step) * step


def below_in_words(district: District, a: Alert, lang: str) -> str:
    """For those who must act: the nearest areas in the way, and when the water may be there."""
    hits = areas_below(district, a.area, a.hazard)
    if not hits:
        return ""
    near = [(district.areas[h.id], _when(district, a, h, lang)) for h in hits[:_NAMED]]
    if lang == "zh":
        named = "、".join(f"{area.name}{at}" for area, at in near)
        return f"下游可能波及{len(hits)}区：{named}"
    named = ", ".join(f"{area.name_en} {at}" for area, at in near)
    return f"{len(hits)} areas downstream, if it goes on: {named}"


def yours_in_words(district: District, a: Alert, hit: Hit, lang: str) -> str:
    """For those who are responsible for an area in the way."""
    area, when = district.areas[hit.id], _when(district, a, hit, lang)
    if lang == "zh":
        return f"您负责的{area.name}在其下游，水流可能{when if hit.latest_min else '随时'}到"
    return f"Downstream {area.name_en}, yours: water {when if hit.latest_min else 'at any time'}"


def _when(district: District, a: Alert, hit: Hit, lang: str) -> str:
    """10–30分钟后; by the clock where it is known when the fact came about, or when the water comes to
    this area: 10:15–10:35."""
    soon = a.happened_at if a.happened_at is not None else a.earliest_at
    late = a.happened_at if a.happened_at is not None else a.latest_at
    if soon is None or late is None:
        span = f"{hit.earliest_min}–{hit.latest_min}分钟后"
        return span if lang == "zh" else f"in {hit.earliest_min}-{hit.latest_min} min"
    times = (soon + hit.earliest_min * _MIN, late + hit.latest_min * _MIN)
    return ("–" if lang == "zh" else "-").join(local(t, district.timezone, "%H:%M") for t in times)
