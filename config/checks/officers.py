"""Whether somebody can really decide: offices that exist, officers for every authority and area, a
chain that ends with a person, two persons where two are asked for."""

from collections.abc import Container, Iterable
from typing import Any

from config.language import Said, Text
from config.read.problem import Problem, out_of_range, problem, unknown_name
from config.records.authority import Authority, Officer, Policy
from config.records.district import Area

_FILE, _POLICY = "officers.csv", "policy.toml"
_NAMED = 6
NO_SUPERIORS = Text(
    "channels.toml: reports_to 为空，事件报告不报给任何人：写上级的代号（contacts.csv）",
    "channels.toml: reports_to is empty, an incident's reports go to nobody: name the superiors, ids of "
    "contacts.csv",
)


def covers(officer: Officer, area: Area) -> bool:
    """Does the officer act for this area: by its id, its township's name, or for all?"""
    return bool({"*", area.id, area.township}.intersection(officer.areas))


def unreachable(policy: Policy, officers: Iterable[Officer]) -> list[Text]:
    """Who may be asked to decide, yet no message can reach: by office, and what to do about it."""
    rows = [who for table in policy.authority.values() for who in table.values()]
    ask = {o for who in rows for o in (*who.by, *(step.office for step in who.chain))}
    found: dict[str, list[str]] = {}
    for o in officers:
        if o.office in ask and o.duty and not o.contact:
            found.setdefault(o.office, []).append(o.id)
    out = []
    for office, ids in found.items():
        name, some = policy.office[office], ids[:_NAMED]
        more = Text(f"等 {len(ids)} 人", f" and {len(ids) - len(some)} more")
        more = more if some != ids else Text("", "")
        out.append(
            Text(
                f"{_FILE}: {name.name} {'、'.join(some)}{more.zh} 会被问到却没有联系方式，收不到任何通知："
                "在 contact 列写 contacts.csv 里的代号（身份 officer 只在被问时通知）；在那以前须有人打电话",
                f"{_FILE}: {name.name_en}, {', '.join(some)}{more.en}: asked to decide, yet no message "
                "can reach them: write an id of contacts.csv in column contact (role officer is told "
                "only when asked); until then somebody has to telephone",
            )
        )
    return [*out, *_unreachable_together(policy, officers), *_one_person(policy, officers)]


def _one_person(policy: Policy, officers: Iterable[Officer]) -> list[Text]:
    """Who stands for two offices of one joint release, by their contact: they agree with themselves."""
    rows = [who.by for table in policy.authority.values() for who in table.values() if who.joint]
    held: dict[str, dict[str, str]] = {}  # contact -> office -> officer
    for o in officers:
        if o.contact:
            held.setdefault(o.contact, {}).setdefault(o.office, o.id)
    return [
        Text(
            f"{_FILE}: {'、'.join(ids)} 是同一个联系人，却代表联合发布的两家：一个人就能发布，请换人",
            f"{_FILE}: {', '.join(ids)} are one contact and stand for two offices of a joint release: one "
            "person could release alone, name another",
        )
        for offices in held.values()
        if any(len(set(by) & offices.keys()) > 1 for by in rows)
        for ids in [list(offices.values())]
    ]


def _unreachable_together(policy: Policy, officers: Iterable[Officer]) -> list[Text]:
    """Offices of a joint release of whom nobody at all can be told that the other has agreed."""
    rows = [who for table in policy.authority.values() for who in table.values() if who.joint]
    reached = {o.office for o in officers if o.duty and o.contact}
    return [
        Text(
            f"{_POLICY}: 联合发布的{policy.office[office].name}没有一个人能收到通知，另一家同意后也无从知道，"
            f"只能等到期：在 {_FILE} 的 contact 列写 contacts.csv 里的代号",
            f"{_POLICY}: {policy.office[office].name_en}, of a joint release: no message can tell any of "
            "its officers that the other has agreed, so it waits out its time: write an id of contacts.csv in "
            f"column contact of {_FILE}",
        )
        for office in dict.fromkeys(o for who in rows for o in who.by)
        if office in policy.office and office not in reached
    ]


def check_officers(
    problems: list[Problem],
    policy: Policy,
    rows: list[tuple[int, Officer]],
    areas: dict[str, Area],
    contacts: Container[Any] | None,  # None: known to the run's store alone
) -> None:
    """officers.csv against policy.toml, areas.csv and contacts.csv. Without any officer nobody may
    act; that is told where it matters (`fengsui check`, `status`), and is no fault."""
    _offices(problems, policy)
    townships = {a.township for a in areas.values()}
    for n, o in rows:
        if o.office not in policy.office:
            known = ", ".join(policy.office)
            problems.append(
                problem(
                    _FILE,
                    n,
                    "office",
                    Text(f"{o.office!r} 没有这个机构", f"{o.office!r} is no office"),
                    known,
                )
            )
        for place in o.areas or ("",):
            if place not in ("*", *areas, *townships):
                problems.append(
                    problem(
                        _FILE,
                        n,
                        "areas",
                        Text(f"{place!r} 不是预警区或乡镇", f"{place!r} is no area nor township"),
                        Text("区号、乡镇名或 *", "ids, names of townships, or *"),
                    )
                )
        if not 0 <= o.duty <= 99:
            problems.append(problem(_FILE, n, "duty", out_of_range(o.duty), "0 … 99"))
        if o.contact and contacts is not None and o.contact not in contacts:
            problems.append(problem(_FILE, n, "contact", unknown_name(o.contact), "contacts.csv"))
        if o.id == "policy":
            problems.append(
                problem(_FILE, n, "id", Text("是保留字", "is a reserved word"), "P-001")
            )
    if rows:
        _held(problems, policy, [o for _, o in rows], areas.values())


def _offices(problems: list[Problem], policy: Policy) -> None:
    for key, row in policy.office.items():
        if not row.name.strip() or not row.name_en.strip() or "、" in row.name:
            problems.append(
                problem(
                    _POLICY,
                    0,
                    f"office.{key}",
                    Text("名称为空或含顿号", "no name, or one with 、"),
                    "name, name_en",
                )
            )
    for hazard, table in policy.authority.items():
        for what, who in table.items():
            for field, words, hint in _of_joint(what, who):
                problems.append(
                    problem(_POLICY, 0, f"authority.{hazard}.{what}.{field}", words, hint)
                )
            named = {
                "by": who.by,
                "through": who.through,
                "ends": who.ends,
                "override": who.override,
                "chain": tuple(step.office for step in who.chain),
            }
            for field, offices in named.items():
                for office in offices:
                    if office not in policy.office:
                        problems.append(
                            problem(
                                _POLICY,
                                0,
                                f"authority.{hazard}.{what}.{field}",
                                Text(f"{office!r} 没有这个机构", f"{office!r} is no office"),
                                f"[office.{office}]",
                            )
                        )


def _of_joint(what: str, who: Authority) -> Iterable[tuple[str, Said, Said]]:
    """(field, what is wrong, what to write) of an authority that is joint, or would be."""
    if who.second_s < 0:
        yield "second_s", out_of_range(who.second_s), "600"
    if not who.joint:
        if who.second_s:
            yield (
                "second_s",
                Text("只用于联合发布", "is for a joint release alone"),
                "joint = true",
            )
        return
    if len(set(who.by)) < 2:
        yield (
            "by",
            Text("联合发布至少两家", "a joint release takes two offices or more"),
            'by = ["water", "weather"]',
        )
    if not who.deadline_s:
        yield (
            "deadline_s",
            Text(
                "联合发布须写等多久：0 是不问就发布，两家无从同意",
                "a joint release has a time: 0 means released without asking, so nobody can agree",
            ),
            "deadline_s = 600",
        )
    if what in ("move", "prepare") and who.default == "hold":
        yield (
            "default",
            Text("转移指令到期不放下", "an order to move is not let go when time is over"),
            Text("release 或 repeat", "release or repeat"),
        )


def _held(
    problems: list[Problem], policy: Policy, officers: list[Officer], areas: Iterable[Area]
) -> None:
    """Every authority has its people in every area, and every step of a chain somebody on duty."""
    told: set[tuple[str, Said]] = set()
    asked: set[tuple[object, ...]] = (
        set()
    )  # hazard and officers: areas that share both need no second look

    def fault(place: str, area: Area, words: Said, hint: Said) -> None:
        if (place, words) not in told:  # the first area says enough
            told.add((place, words))
            where = Text(f"{area.id} {area.name}: ", f"{area.id} {area.name_en}: ")
            problems.append(problem(_POLICY, 0, place, where + words, hint))

    for area in areas:
        here = [o for o in officers if covers(o, area)]
        for hazard in area.hazards:
            if (alike := (hazard, *map(id, here))) in asked:
                continue
            asked.add(alike)
            table = {
                **{w: ("*", a) for w, a in policy.authority.get("*", {}).items()},
                **{w: (hazard, a) for w, a in policy.authority.get(hazard, {}).items()},
            }
            for what, (owner, who) in table.items():
                place = f"authority.{owner}.{what}"
                for field, words in _missing(who, here):
                    fault(f"{place}.{field}", area, words, "officers.csv")


def _missing(who: Authority, here: list[Officer]) -> Iterable[tuple[str, Said]]:
    """(field, what is wrong) of one authority, for the officers of one area."""
    deciders = [o for o in here if o.office in who.by]
    if not any(o.duty for o in deciders):
        yield "by", Text("没有值班人员有此权限", "no officer on duty holds it")
    for office in who.by if who.joint else ():
        if not any(o.office == office and o.duty for o in deciders):
            yield (
                "by",
                Text(
                    f"联合发布的 {office} 没有值班人员，永远等不到它同意",
                    f"nobody is on duty at {office}: the joint release would wait for it for ever",
                ),
            )
    for step in who.chain:
        if not any(o.office == step.office and o.duty for o in here):
            yield (
                "chain",
                Text(
                    f"上报到 {step.office} 无人",
                    f"the chain ends nowhere: nobody is on duty at {step.office}",
                ),
            )
    if who.ends and not any(o.office in who.ends for o in here):
        yield "ends", Text("无人可以解除", "nobody may end it")
    both = [o for o in here if o.office in (*who.by, *who.through)]
    if who.two_persons and len(both) < 2:
        yield "two_persons", Text("须两人而只有一人", "two persons are required, there is one")
