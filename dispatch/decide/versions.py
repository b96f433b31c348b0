"""The versions of one warning: when a new one is due, and what it says. Pure.

A new version is made only when what it says changes (level, action, proposal, public, state,
suspect, thin, who must decide), when a deadline or a person did something, or when it is renewed
before it expires. A question that is put to the next, or anew, makes none: the version that there is
goes out once more, counted by `again`, and only who is asked hears of it.
"""

from typing import NamedTuple

import msgspec

from config.language import Text, joined
from config.records.level import Level
from config.records.rule_kinds import UPSTREAM
from detectors.detection import Coverage
from dispatch.decide.asking import joint
from dispatch.decide.authority import Bench, names, steps
from dispatch.decide.case import Case, Setting, asked, questions, step_of
from dispatch.decide.lifecycle import ended
from dispatch.decide.policy import Need, authority, in_force, waiting
from dispatch.decide.validity import renewal_due, until
from dispatch.grade import ACTION_KEY, LEVEL_KEY, Grade, grade_of, sentence
from dispatch.records import Alert
from dispatch.words.local_time import local

_AND = Text("、", ", ")
_DEFAULT = {
    "release": Text("发布", "it is released"),
    "hold": Text("暂不发布", "it is held"),
    "escalate": Text("上报", "the next is asked"),
    "repeat": Text("从头再报", "all are asked again"),
}


class Change(NamedTuple):
    """A new version, and what the policy did in it ("" for nothing but telling)."""

    alert: Alert
    act: str


def refresh(
    setting: Setting,
    case: Case,
    now: int,
    *,
    incident: str,
    thin: bool = False,
    coverage: Coverage | None = None,
    because: tuple[Text, ...] = (),
    by: str = "policy",
    must: bool = False,
    notified: tuple[str, ...] = (),
    together: bool = False,
    asking: bool = False,
) -> Change | None:
    """The next version, if what it says is new, if it is due to be renewed, or if it `must` be.

    `incident`: the id to use when this opens a warning. `by` is who caused it. together: another
    warning of the area is renewed now. asking: nothing was done but that a question was put anew.
    """
    policy, need = setting.district.policy, case.need
    force = in_force(policy, setting.rehearsed, case.hazard, need, case.standing)
    wanted = waiting(case.whole, force, case.standing)
    before = case.alert
    now = max(now, case.last_sent_at)
    if before is None and not force and not wanted:
        return None
    if before is not None and (end := _end(case, need, now, thin)):
        return Change(_close(setting, case, now, before, need, end, because, by), "cancel")
    case.keep_out(force)
    case.questions({what: asked(setting, case, what, now) for what in wanted})
    face = _Face(force, need, case.whole, wanted, thin, _proposed_alone(case))
    renew = renewal_due(setting, case, now, thin, together=together)
    same = before is not None and not renew and _same(setting, case, before, face, asking=asking)
    if same and not must:
        return None
    if renew:
        because = (*because, Text("预警延续，有效期顺延", "still in force, validity extended"))
    was = case.force
    alert = _version(setting, case, now, incident, face, coverage, because, by, notified)
    if same and asking and before is not None:
        alert = _anew(before, alert)
        case.publish(alert, told=False)
        return Change(alert, "")
    expires_at = until(setting, case, now, thin, again=renew and not must and force == was)
    alert = msgspec.structs.replace(alert, expires_at=expires_at, renewed=renew)
    case.publish(alert, told=renew or force != was or before is None)
    if force.exceeds(was) or (renew and force):
        return Change(alert, "release")
    return Change(alert, "lower" if was.exceeds(force) else "")


def _proposed_alone(case: Case) -> bool:
    """What is not sure is another authority's word or a conclusion, and no doubtful value of ours."""
    said = [s.detection for s in case.said.values()]
    return any(d.outside or d.inferred for d in said) and not any(d.suspect for d in said)


class _Face(NamedTuple):
    """What a version says. wanted: what somebody must decide on."""

    force: Grade
    need: Need  # of the evidence alone
    whole: Grade  # what the evidence asks for, or a person proposes
    wanted: list[str]
    thin: bool
    outside: bool

    @property
    def suspect(self) -> bool:
        return self.need.whole.exceeds(self.need.sure) and not self.outside


def _end(case: Case, need: Need, now: int, thin: bool) -> str:
    """How the open warning ends now: "cancelled", "expired", or "" when it does not.

    An order without evidence lapses when its time is over, as it said it would; what rests on
    evidence, or on too little to call the area quiet, is renewed instead.
    """
    assert case.alert is not None
    if case.standing.act == "cancel" or not (case.whole or case.standing.ordered):
        return "cancelled"
    return "expired" if not need.whole and not thin and now >= case.alert.expires_at else ""


def _state(case: Case, face: _Face) -> str:
    asks = [case.asks[w] for w in face.wanted]
    if any(a.waits for a in asks):
        return "proposed"
    if any(a.returned for a in asks):
        return "returned"
    if asks:
        return "held"
    stopped = {"hold": "held", "reject": "rejected"}.get(case.standing.act)
    return stopped if stopped and face.whole.exceeds(face.force) else "released"


def _who(setting: Setting, case: Case, face: _Face) -> str:
    """The office that must decide, or under whose authority this is out."""
    policy = setting.district.policy
    if face.wanted:
        return names(policy, step_of(setting, case, face.wanted[-1]).offices).zh
    what = ACTION_KEY.get(face.force.action) or LEVEL_KEY.get(face.force.level, "")
    return names(policy, authority(policy, case.hazard, what).by).zh if what else ""


def _open(case: Case, face: _Face) -> list[str]:
    """What is asked: levels and actions, and an end that a second person must confirm."""
    end = case.standing.ending
    return [w for w in face.wanted if not case.asks[w].held] + ([end.act] if end else [])


def _anew(before: Alert, alert: Alert) -> Alert:
    """The same version, put to somebody anew."""
    return msgspec.structs.replace(
        alert,
        version=before.version,
        msg_type=before.msg_type,
        expires_at=before.expires_at,
        again=before.again + 1,
    )


def _same(setting: Setting, case: Case, before: Alert, face: _Face, *, asking: bool) -> bool:
    """Would the next version say the same? asking: who is asked does not count."""
    return (
        before.level,
        before.action,
        before.proposed_level,
        before.proposed_action,
        before.state,
        before.suspect,
        before.thin,
        "" if asking else before.authority,
        [q.what for q in before.questions],
    ) == (
        face.force.level,
        face.force.action,
        face.whole.level,
        face.whole.action,
        _state(case, face),
        face.suspect,
        face.thin,
        "" if asking else _who(setting, case, face),
        _open(case, face),
    )


def _alert_id(setting: Setting, case: Case, sent_at: int) -> str:
    stamp = local(sent_at, "UTC", "%Y%m%dT%H%M%S")
    return f"{setting.district.id}-{case.area}-{case.hazard}-{stamp}"


def _version(
    setting: Setting,
    case: Case,
    now: int,
    incident: str,
    face: _Face,
    coverage: Coverage | None,
    because: tuple[Text, ...],
    by: str,
    notified: tuple[str, ...],
) -> Alert:
    before = case.alert
    active = [s.detection for s in case.said.values() if s.detection.level or s.detection.action]
    active.sort(key=lambda d: d.rule)
    if before is None:
        while _alert_id(setting, case, now) == case.last_id:
            now += 1000  # closed and opened again within a second
    deadlines = [a.deadline_at for a in case.asks.values() if not a.held]
    coming = [d.next_at for d in active if d.next_at is not None]
    return Alert(
        id=before.id if before else _alert_id(setting, case, now),
        version=before.version + 1 if before else 1,
        area=case.area,
        hazard=case.hazard,
        status="actual" if setting.live else "exercise",
        msg_type="update" if before else "alert",
        level=face.force.level,
        action=face.force.action,
        proposed_level=face.whole.level,
        proposed_action=face.whole.action,
        public=bool(face.force),
        state=_state(case, face),  # type: ignore[arg-type]  # one of the Literal's words
        incident=before.incident if before else incident,
        sent_at=now,
        onset_at=before.onset_at if before else min((d.since_at for d in active), default=now),
        expires_at=now,  # `refresh` says until when
        reason=sentence((*because, *_why(setting, case, face))),
        by=by,
        authority=_who(setting, case, face),
        deadline_at=min(deadlines, default=None),
        questions=questions(setting, case, face.wanted),
        notified=notified,
        suspect=face.suspect,
        thin=face.thin,
        evidence=tuple(e for d in active for e in d.evidence),
        coverage=coverage,
        next_at=min(coming, default=None),
        earliest_at=min((d.earliest_at for d in active if d.earliest_at is not None), default=None),
        latest_at=max((d.latest_at for d in active if d.latest_at is not None), default=None),
        happened_at=case.happened_at or None,
        detections=tuple(d.id for d in active),
        issuers=_issuers(case, face.force),
    )


def _issuers(case: Case, force: Grade) -> tuple[str, ...]:
    """The offices in whose name the colour is out; a higher one that came otherwise is not theirs."""
    level, offices = case.issued
    return offices if Level.NONE < force.level <= level else ()


def _why(setting: Setting, case: Case, face: _Face) -> list[Text]:
    """What is out and why, what waits and for whom."""
    out = []
    policy = setting.district.policy
    if face.force:
        words = face.force.words()
        what = ACTION_KEY.get(face.force.action) or LEVEL_KEY[face.force.level]
        source = authority(policy, case.hazard, what).source
        if setting.rehearsed:
            out.append(
                Text(f"{words.zh}：演练按配置即时发布", f"{words.en}: an exercise releases at once")
            )
        elif source:
            out.append(words + Text("：依据 ", ": under ") + source)
        else:
            out.append(Text(f"{words.zh}已发布", f"{words.en} released"))
    out += [_asked(setting, case, what) for what in face.wanted if not case.asks[what].held]
    end = case.standing.ending
    if end is not None:
        by, to = joined((s.by for s in end.signed), _AND), end.target.words()
        asks = (
            Text("解除", "to cancel") if end.act == "cancel" else Text("降为", "to lower to ") + to
        )
        out.append(
            Text(
                f"{by.zh}提请{asks.zh}，待另一人确认",
                f"{by.en} asks {asks.en}, another must confirm",
            )
        )
    if any(s.detection.outside and s.detection.level for s in case.said.values()):
        out.append(
            Text(
                "含外部预警，须本区有权人员或本区监测确认，不自动发布",
                "rests on another authority's warning too: a person or our own sensors must "
                "confirm, nothing goes out on it by itself",
            )
        )
    inferred = [s.detection for s in case.said.values() if s.detection.inferred]
    told = [d for d in inferred if d.rule.startswith(UPSTREAM)]
    if any(d.level or d.action for d in told):
        out.append(
            Text(
                "上游有险情，水可能流到这里，须人工确认，不自动发布",
                "danger upstream, the water may come here: a person must confirm, nothing goes out "
                "on it by itself",
            )
        )
    if any(d.level for d in inferred if d not in told):
        out.append(
            Text(
                "由测站相继断报推断，须人工确认，不自动发布",
                "concluded from gauges that fell silent one after another: a person must confirm, "
                "nothing goes out on it by itself",
            )
        )
    if face.suspect:
        out.append(
            Text(
                "部分依据为可疑数据，待第二迹象或人工确认",
                "rests in part on suspect values; a second sign or a person must confirm",
            )
        )
    if face.thin:
        out.append(
            Text("该区监测数据不足，不降级", "evidence of this area is thin, it is not lowered")
        )
    return out


def _asked(setting: Setting, case: Case, what: str) -> Text:
    """What waits for whom, until when, and what comes then."""
    policy, one = setting.district.policy, case.asks[what]
    who = authority(policy, case.hazard, what)
    chain = steps(setting.district, case.area, who)
    words = grade_of(what).words()
    until = local(one.deadline_at, setting.district.timezone, "%H:%M")
    if one.returned:
        return Text(
            f"{words.zh}已退回，待{until}前补正",
            f"{words.en} was returned, to be mended by {until}",
        )
    doubtful = grade_of(what).exceeds(case.need.sure | case.standing.asked)
    left, step = joint.awaited(setting.district, case.area, who, one.signed), one.step
    if left:  # what comes is the chain
        step = max(step, joint.own_steps(who, chain) - 1)
    then = _DEFAULT[
        "escalate"
        if step + 1 < len(chain)
        else "repeat"
        if doubtful or left or (who.default == "hold" and one.signed)
        else who.default
    ]
    to = names(policy, step_of(setting, case, what).offices)
    waits = Text(
        f"{words.zh}待{to.zh}于{until}前决定，逾期{then.zh}",
        f"{words.en} waits for {to.en} until {until}, then {then.en}",
    )
    by = joined(dict.fromkeys(s.by for s in one.signed), _AND)
    if left and joint.goes_alone(what, who):
        agreed = Bench.of(setting.district, case.area, who).agreed(one.signed)
        alone = names(policy, agreed)
        return Text(
            f"{words.zh}联合发布，{alone.zh}已同意（{by.zh}），待{to.zh}于{until}前答复，逾期由{alone.zh}单独发布",
            f"{words.en}, a joint release: {alone.en} agreed ({by.en}), {to.en} is to answer until {until}, "
            f"then it goes out in the name of {alone.en} alone",
        )
    return waits + Text(f"，{by.zh}已署名", f", signed by {by.en}") if one.signed else waits


def _close(
    setting: Setting,
    case: Case,
    now: int,
    before: Alert,
    need: Need,
    end: str,
    because: tuple[Text, ...],
    by: str,
) -> Alert:
    if end == "expired":
        lapsed = Text("人工命令到期失效，无监测依据", "a person's order lapsed, no evidence")
        because = (*because, lapsed)
    alert = ended(
        before,
        end,
        now,
        because,
        by,
        proposed_level=need.whole.level,
        proposed_action=need.whole.action,
        expires_at=now + setting.district.policy.valid_s * 1000,
        earliest_at=None,
        latest_at=None,
        happened_at=None,
        renewed=False,
    )
    case.close(alert)
    return alert
