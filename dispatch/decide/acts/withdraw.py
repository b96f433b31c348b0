"""Acts that stop a warning or take it back: return, hold, reject, lower, cancel. Each changes the
case or leaves it as it was, and says what came of it; and the words of a fall that nobody asked for.
Pure."""

from itertools import takewhile

import msgspec

from config.language import Text
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from dispatch.decide.act import Act, ActResult
from dispatch.decide.authority import end_rows, entitled
from dispatch.decide.case import ask
from dispatch.decide.policy import Ending, Signed
from dispatch.grade import ACTION_KEY, LEVEL_KEY, TOP, Grade, grade_of


def cleared(district: District, silence: Detection | None, left: Grade) -> Text:
    """Why the evidence let a warning fall to `left`, and on whose word: of a station that was not
    heard, or shows nothing, it is never said that it was. silence: what that rule said last of the
    area, None if never."""
    minutes, words = district.policy.step_down_hold_s // 60, left.words()
    held = Text(f"解除条件已保持{minutes}分钟", f"clear for {minutes} min")
    if left:
        held = Text(f"已降至{words.zh}并保持{minutes}分钟", f"down to {words.en} for {minutes} min")
    cover = silence.coverage if silence is not None else None
    away = (*cover.silent, *cover.service) if cover is not None else ()
    lost = [s for s in away if s in district.stations]
    if "silence" not in district.rules.run:
        heard = Text("断报未查", "nobody looked whether every station is heard")
    elif cover is None or not lost:
        heard = Text("数据齐全", "with every station heard")
    else:
        names = "、".join(lost)
        heard = Text(
            f"{cover.expected}站中{cover.live}站有数据，未计{names}",
            f"with {cover.live} of {cover.expected} stations heard, without {', '.join(lost)}",
        )
    return Text(f"{held.zh}，{heard.zh}", f"{held.en} {heard.en}")


def stop(x: Act) -> ActResult:
    """Hold or reject, scale by scale, from the top down as far as this person decides."""
    at, why = TOP, None
    for scale in (LEVEL_KEY, ACTION_KEY):
        whats = [w for w in x.open if w in scale.values() and w in x.case.asks]
        mine = list(takewhile(lambda w: x.power(w) == "decides", reversed(whats)))
        if whats and not mine:
            why = why or x.barred(whats[-1])
        if not mine:
            continue
        rest = whats[: -len(mine)]
        below = x.case.force | (grade_of(rest[-1]) if rest else Grade())
        if scale is LEVEL_KEY:
            at &= Grade(below.level, Action.MOVE)
        else:
            at &= Grade(Level.RED, below.action)
    if at == TOP:
        return why or x.refuse("没有待决定的内容", "nothing waits for a decision")
    x.case.cap(at, x.decision.act)
    zh, en = ("暂不发布", "held") if x.decision.act == "hold" else ("已驳回", "rejected")
    return x.done(zh, en)


def return_(x: Act) -> ActResult:
    whats = [w for w in x.open if w in x.case.asks and x.case.asks[w].waits]
    mine = [w for w in whats if x.power(w) == "decides"]
    if not mine:
        return x.barred(whats[-1]) if whats else x.refuse("没有待决定的内容", "nothing waits")
    x.case.end_by_two(None)
    for what in mine:
        fresh = ask(x.setting, x.case, what, x.now)
        x.case.question(what, msgspec.structs.replace(fresh, returned=True))
    return x.done("已退回补正", "returned to be mended")


def lower(x: Act) -> ActResult:
    force, named = x.case.force, x.named
    target = Grade(named.level or force.level, named.action or force.action)
    if target.exceeds(force) or not force.exceeds(target):
        return x.refuse(
            "不低于现行等级和指令（解除请用 cancel）",
            "it is not below what is in force (to end it, cancel)",
        )
    # the scale that is not lowered stays as it is, and what waits on it
    at = Grade(
        target.level if target.level < force.level else Level.RED,
        target.action if target.action < force.action else Action.MOVE,
    )
    return _end(x, at)


def cancel(x: Act) -> ActResult:
    return _end(x, Grade())


def _end(x: Act, at: Grade) -> ActResult:
    """Cap at `at`, once everybody has agreed who must: those who may take back what is in force, and
    those who decide on what waits above it."""
    force, act = x.case.force, x.decision.act
    # what was stopped before is nobody's to decide when less is lowered
    stopped = [w for w in x.open if act == "cancel" or w in x.case.asks]
    stopped = [w for w in stopped if grade_of(w).exceeds(at)]
    rows = end_rows(x.setting.district.policy, x.case.hazard, force, at, stopped)
    if not any(x.power(w, offices) for w, offices in rows):
        return x.barred(*rows[-1]) if rows else x.refuse("没有可解除的内容", "nothing to end")
    old = x.case.standing.ending
    before = old.signed if old is not None and (old.act, old.target) == (act, at) else ()
    signed = before if x.mine in before else (*before, x.mine)
    if missing := [row for row in rows if not x.enough(row[0], signed, row[1])]:
        return _first(x, at, before, signed, missing[-1])
    x.case.cap(at, act)
    if act == "cancel":
        return x.done("已解除", "cancelled")
    words = (force & at).words()
    return x.done(f"已降为{words.zh}", f"lowered to {words.en}")


def _first(
    x: Act,
    at: Grade,
    before: tuple[Signed, ...],
    signed: tuple[Signed, ...],
    missing: tuple[str, tuple[str, ...]],
) -> ActResult:
    """The end that one name is not enough for waits for another."""
    what, offices = missing
    who = x.who(what)
    may = entitled(x.setting.district, x.case.area, (*offices, *who.through), but=x.decision.by)
    if signed == before:
        return x.refuse(f"须另一人确认：{may.zh}", f"another person must confirm: {may.en}")
    end = Ending(x.decision.act, at, signed, x.case.heard)
    x.case.end_by_two(end)
    return x.done(f"已记录，待另一人确认：{may.zh}", f"recorded; another must confirm: {may.en}")
