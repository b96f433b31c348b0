"""What the gauges and other authorities said, in words for those who must judge it. Pure."""

from config.language import Text, text_of
from config.records.district import District
from config.records.evacuation import move_needs_s
from config.records.level import LEVEL_EN, LEVEL_ZH, Level
from config.records.quantity import OF_PEOPLE, QUANTITIES, unit_words
from config.records.rule_kinds import RULE_KINDS, UPSTREAM, rule_words, unit_of
from detectors.detection import Detection, Evidence
from dispatch.grade import Grade
from dispatch.records import Alert
from dispatch.words.local_time import local, quiet_until

# what is the hazard itself when it is measured, and not only what may bring it; a projection or a trend
# of it (a kind that looks ahead) is none
_ITSELF: dict[str, frozenset[str]] = {
    "flash_flood": frozenset({"report_flood"}),
    "debris_flow": frozenset({"report_debris_flow", "front_speed", "image_front"}),
    "river_flood": frozenset({"report_flood"}),
    "dam_break": frozenset({"report_flood"}),
    "reservoir_release": frozenset({"report_flood"}),
    "urban_flood": frozenset({"depth", "report_flood"}),
    "forest_fire": frozenset({"fire"}),
    "chemical": frozenset({"gas"}),
    "traffic": frozenset({"traffic_flow"}),
    "crowd": frozenset({"crowd_density"}),
}
_AHEAD = frozenset({"quantity_rise", "quantity_trend", "stage_projection", "level_forecast"})

LIKELY = 0.5  # a chance above it is likely, one up to it possible (CAP 1.2, 3.2.2, certainty)


def seen_itself(a: Alert) -> bool:
    """Something of the evidence is the hazard itself, measured or seen, and not in doubt."""
    itself = _ITSELF.get(a.hazard, frozenset())
    return not a.suspect and any(e.quantity in itself and e.kind not in _AHEAD for e in a.evidence)


def foreseen(a: Alert) -> float | None:
    """The highest chance, 0 … 1, where all that the warning rests on is a forecast; None where anything
    was measured."""
    chances = [e.chance for e in a.evidence if e.chance is not None]
    return max(chances) if chances and len(chances) == len(a.evidence) else None


def begins_at(a: Alert) -> int:
    """When the event begins in the area, ms: the first moment at which a wave on its way may be here, the
    time of a fact that somebody told, or since when its evidence has held."""
    known = (a.earliest_at, a.happened_at, a.onset_at)
    return next(at for at in known if at is not None)


def flooding_by(a: Alert) -> int | None:
    """Of the likeliest forecast that the warning rests on, the end of the time that it speaks of, ms; None
    without one, where that is over, or where the hazard itself was seen: then it does not come, it is here."""
    if seen_itself(a):
        return None
    told = [
        (e.value if e.chance is None else e.chance, e.observed_at + e.window_min * 60_000)
        for e in a.evidence
        if (e.chance is not None or e.kind == "flood_chance")
        and e.window_min is not None
        and e.observed_at is not None
        and e.observed_at + e.window_min * 60_000 > a.sent_at
    ]
    return max(told, key=lambda t: (t[0], -t[1]))[1] if told else None


def left_min(district: District, a: Alert) -> int | None:
    """How long people may still wait before they go, whole minutes, 0 where they may not: the time until the
    hazard may be here, less what the place needs to move (areas.csv). Until the first moment of a wave on its
    way; a fact that somebody told of here leaves nothing. A forecast says by when and not from when: one whose
    time is over before people could have moved leaves nothing, and a longer one says nothing of how long they
    may wait. None where nothing says when."""
    known = a.earliest_at if a.happened_at is None else a.happened_at
    at = flooding_by(a) if known is None else known
    if at is None:
        return None
    area, need_s = district.areas.get(a.area), 0
    if area is not None:
        night = quiet_until(district.policy.night, a.sent_at, district.timezone) != 0
        need_s = move_needs_s(area, night=night)
    left_s = max((at - a.sent_at) // 1000 - need_s, 0)
    return left_s // 60 if known is not None or left_s == 0 else None


def is_fact(a: Alert) -> bool:
    """A person told that it has happened, here or upstream."""
    return a.happened_at is not None or any(e.kind == "upstream" for e in a.evidence)


def office(district: District, by: str, lang: str) -> str:
    """The office that decides, in the language."""
    if lang == "zh":
        return by or "有权人员"
    known = {o.name: o.name_en for o in district.policy.office.values()}
    return " or ".join(known.get(part, part) for part in by.split("、") if part) or "authority"


def evidence(district: District, e: Evidence, lang: str) -> str:
    """香屯雨量站60分钟降雨量52.3mm（阈值52mm，22:10）."""
    zh = lang == "zh"
    if e.quantity == "cap":
        return _outside(district, e, zh=zh)
    name = ("、" if zh else ", ").join(_station(district, s, zh=zh) for s in e.station.split("+"))
    if e.quantity in OF_PEOPLE:
        return _seen(district, e, zh=zh)
    if e.kind == "upstream":
        return _upstream(district, e, zh=zh)
    if e.kind == "cascade":
        return name + _silent(district, e, zh=zh)
    if e.kind in RULE_KINDS:
        return name + _ruled(district, e, zh=zh)
    quantity = QUANTITIES.get(e.quantity)
    unit = unit_words(quantity.unit, lang) if quantity else ""
    at = local(e.observed_at, district.timezone, "%H:%M") if e.observed_at is not None else ""
    limit = ""
    if e.threshold is not None:
        limit = f"{'阈值' if zh else 'limit '}{e.threshold:g}{unit}"
    if e.quantity == "frame":
        what = f"画面{e.value:.0%}在动" if zh else f" {e.value:.0%} of the view moves"
        limit = ""
    elif zh:
        window = f"{e.window_min}分钟" if e.window_min else ""
        what = f"{window}{quantity.zh if quantity else e.quantity}{e.value:g}{unit}"
    else:
        window = f" in {e.window_min} min" if e.window_min else ""
        what = f" {e.quantity.replace('_', ' ')} {e.value:g}{unit}{window}"
    beside = ("，" if zh else ", ").join(x for x in (limit, at) if x)
    if not beside:
        return f"{name}{what}"
    return f"{name}{what}（{beside}）" if zh else f"{name}{what} ({beside})"


def _outside(district: District, e: Evidence, *, zh: bool) -> str:
    """区气象局发布红色预警（22:10）: another authority's word."""
    source = district.sources.source.get(e.station)
    name = (source.name if zh else source.name_en) if source else e.station
    at = local(e.observed_at, district.timezone, "%H:%M") if e.observed_at is not None else ""
    level = Level(int(e.value))
    if zh:
        return f"{name}发布{LEVEL_ZH[level]}预警（{at}）"
    return f"{name}: {LEVEL_EN[level]} warning ({at})"


def _seen(district: District, e: Evidence, *, zh: bool) -> str:
    """C-0004报告水涨（22:10）: what a person saw."""
    at = local(e.observed_at, district.timezone, "%H:%M") if e.observed_at is not None else ""
    if zh:
        return f"{e.station}{QUANTITIES[e.quantity].zh}（{at}）"
    return f"{e.station}: {e.quantity.replace('_', ' ')} ({at})"


def _silent(district: District, e: Evidence, *, zh: bool) -> str:
    """10:05后断报（此前突涨）: one of the silences that look like a wave."""
    at = local(e.observed_at, district.timezone, "%H:%M") if e.observed_at is not None else ""
    if zh:
        return f"{at}后断报" + "（此前突涨）" * ("jump" in e.note)
    return f" silent since {at}" + " (after a jump)" * ("jump" in e.note)


def _upstream(district: District, e: Evidence, *, zh: bool) -> str:
    """上游香屯村10:05发生: a fact that a person told of an area above."""
    area = district.areas.get(e.station)
    at = local(e.observed_at, district.timezone, "%H:%M") if e.observed_at is not None else ""
    if zh:
        return f"上游{area.name if area else e.station}{at}发生"
    return f"it happened upstream at {area.name_en if area else e.station}, {at}"


def _station(district: District, station: str, *, zh: bool) -> str:
    place = district.stations.get(station)
    return (place.name if zh else place.name_en) if place else station


def _ruled(district: District, e: Evidence, *, zh: bool) -> str:
    """What a window rule made of a station: its value in the rule's own unit. A rule of any quantity
    is named and counted by the quantity."""
    kind, what = RULE_KINDS[e.kind], measured(e)
    named = what.zh if zh else f" {what.en}"
    unit = unit_words(unit_of(e.kind, QUANTITIES.get(e.quantity)), "zh" if zh else "en")
    value, beside = f"{kind.told(e.value):.3g}", []
    if e.threshold is not None:
        limit = f"{kind.told(e.threshold):.3g}"
        beside.append(f"{'阈值' if zh else 'limit '}{limit}{unit}")
    if e.observed_at is not None:
        beside.append(local(e.observed_at, district.timezone, "%H:%M"))
    if kind.tells and e.note:
        beside.append(text_of(e.note).zh if zh else text_of(e.note).en)
    if zh:
        return f"{named}{value}{unit}" + (f"（{'，'.join(beside)}）" if beside else "")
    return f"{named} {value}{unit}" + (f" ({', '.join(beside)})" if beside else "")


def measured(e: Evidence) -> Text:
    """What the value of a window rule is called: of a rule of any quantity by the quantity, of a forecast
    by what it is a chance of."""
    kind, quantity = RULE_KINDS[e.kind], QUANTITIES.get(e.quantity)
    if e.chance is not None:
        return forecast(e)
    if kind.after is not None and quantity is not None:
        return Text(quantity.zh, e.quantity.replace("_", " ")) + kind.after
    return kind.named(e.window_min)


def forecast(e: Evidence) -> Text:
    """未来60分钟水位达到3.2m的可能性: what a chance is of."""
    quantity = QUANTITIES.get(e.quantity)
    unit, named = (quantity.unit, quantity.zh) if quantity else ("", e.quantity)
    reach_zh, reach_en = (f"{e.reach or 0:.6g}{unit_words(unit, lang)}" for lang in ("zh", "en"))
    return Text(
        f"未来{e.window_min}分钟{named}达到{reach_zh}的可能性",
        f"chance of {e.quantity.replace('_', ' ')} {reach_en} within {e.window_min} min",
    )


def coverage(a: Alert, lang: str) -> str:
    """How many of the area's stations speak, where not all do."""
    c = a.coverage
    if c is None or (c.live == c.expected and not a.thin):
        return ""
    if lang == "zh":
        thin = "，数据不足" if a.thin else ""
        away = f"，{'、'.join(c.service)}维护中" if c.service else ""
        return f"在线监测站{c.live}/{c.expected}{away}{thin}。"
    away = f", in service {', '.join(c.service)}" if c.service else ""
    return f" Stations live {c.live}/{c.expected}{away}{', thin evidence' if a.thin else ''}."


def heard(district: District, detection: Detection) -> Text:
    """The reason in words that a detection gives: what the rule said, or whose warning from outside."""
    rule = rule_words(district, detection.rule)
    if detection.outside:
        rule = _sources(district, detection)
    grade = Grade(detection.level, detection.action).words()
    none = not (detection.level or detection.action)
    if none and detection.rule.startswith(UPSTREAM):
        return Text(f"{rule.zh}已降低或结束，撤回", f"{rule.en} has fallen or ended, withdrawn")
    if detection.inferred and none:
        return Text(f"{rule.zh}：推断不再成立，撤回", f"{rule.en}: no longer concluded, withdrawn")
    doubt = Text("（可疑数据）", " (suspect values)") if detection.suspect else Text("", "")
    return Text(f"{rule.zh}研判{grade.zh}{doubt.zh}", f"{rule.en} evidence: {grade.en}{doubt.en}")


def _sources(district: District, detection: Detection) -> Text:
    """气象局外部预警 / weather office, warning from outside."""
    known = district.sources.source
    names = [known[e.station] for e in detection.evidence if e.station in known]
    return Text(
        "、".join(s.name for s in names) + "外部预警",
        ", ".join([*(s.name_en for s in names), "warning from outside"]),
    )
