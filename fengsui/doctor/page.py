"""What `fengsui doctor` prints: of one thing its layers and findings, of a district a line each, and the same
as JSON. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from config.language import Said, Text, en, joined, text_of, zh
from config.records.quantity import OF_NODES, QUANTITIES, unit_words
from fengsui.doctor.case import Case, Finding, Weight, span
from fengsui.doctor.promises import of_thing
from fengsui.doctor.uses import rules_of
from fengsui.doctor.words import OURS
from fengsui.doctor.wrong.findings import findings, held_tests, interval_s, slots
from fengsui.doctor.wrong.refused import letters_of
from ingest.observation import Flag

SIGN = {Weight.BLIND: "×", Weight.DOUBT: "!", Weight.NOTE: "·", Weight.WELL: "✓"}
_FLAGS = {
    Flag.GOOD: Text("好", "good"),
    Flag.NOT_EVALUATED: Text("未检", "not evaluated"),
    Flag.SUSPECT: Text("存疑", "suspect"),
    Flag.FAIL: Text("不合格", "fail"),
    Flag.MISSING: Text("缺测", "missing"),
}
_KINDS = {
    "rain": Text("雨量站", "rain gauge"),
    "rain_counter": Text("雨量站", "rain gauge"),
    "stage": Text("水位站", "stage gauge"),
    "frame": Text("摄像机", "camera"),
    "ground_velocity": Text("地声站", "geophone"),
}
_COMMA = Text("、", ", ")
_NAMED = 6


class Looked(NamedTuple):
    """A thing with what is wrong with it."""

    name: str
    findings: list[Finding]

    @property
    def weight(self) -> Weight:
        return max((f.weight for f in self.findings), default=Weight.WELL)


def everybody(case: Case) -> list[Looked]:
    """Stations and loudspeakers of the district, worst first."""
    names = [*case.district.stations, *case.district.nodes]
    found = [Looked(n, findings(case, n)) for n in names]
    return sorted(found, key=lambda x: (-x.weight, _first_layer(x), x.name))


def _first_layer(looked: Looked) -> str:
    return looked.findings[0].code if looked.findings else ""


# --- one thing


def thing_lines(case: Case, looked: Looked) -> Iterator[Said]:
    """Its layers, then what is wrong and what to do."""
    name = looked.name
    yield _head(case, name)
    for title, words in layers(case, name):
        yield Text(f"  {title.zh}：{zh(words)}", f"  {title.en}: {en(words)}")
    for kept in of_thing(case, name):
        yield Text(f"  耐久：{kept.zh}", f"  durability: {kept.en}")
    yield from finding_lines(looked.findings)
    if not looked.findings:
        yield Text("✓ 没有发现问题", "✓ nothing wrong was found")


def finding_lines(found: Iterable[Finding]) -> Iterator[Said]:
    for f in found:
        yield Text(f"{SIGN[f.weight]} {f.what.zh}", f"{SIGN[f.weight]} {f.what.en}")
        yield Text(f"    → {f.todo.zh}", f"    → {f.todo.en}")


def _head(case: Case, name: str) -> Text:
    plan, station = case.plan(name), case.district.stations.get(name)
    every = Text(
        f"每 {span(plan.interval_s * 1000).zh}一报，{span(plan.silent_after_s * 1000).zh}不来算静默",
        f"every {span(plan.interval_s * 1000).en}, silent after {span(plan.silent_after_s * 1000).en}",
    )
    if station is None:
        return Text(
            f"{name} {plan.name}（预警广播终端）：{every.zh}",
            f"{name} {plan.name_en} (loudspeaker): {every.en}",
        )
    quantity = QUANTITIES[station.quantity]
    unit = "" if quantity.unit in ("1", "byte") else f" {quantity.unit}"
    return Text(
        f"{name} {plan.name}（{kind_of(case, name).zh}，{quantity.zh}{unit}）：{every.zh}",
        f"{name} {plan.name_en} ({kind_of(case, name).en}, {quantity.name}{unit}): {every.en}",
    )


def kind_of(case: Case, name: str) -> Text:
    """What it is called."""
    station = case.district.stations.get(name)
    if station is None:
        return Text("预警广播终端", "loudspeaker")
    return _KINDS.get(station.quantity, Text("监测站", "station"))


def layers(case: Case, name: str) -> Iterator[tuple[Text, Said]]:
    """What was last heard at each layer."""
    yield Text("连接", "link"), _link(case, name)
    yield Text("报文", "message"), _message(case, name)
    yield Text("读数", "reading"), _reading(case, name)
    came, due = slots(case, name)
    if name in case.district.stations and due:
        every = interval_s(case, name)
        about = span(every * 1000) if every else None
        yield (
            Text("24 小时", "24 hours"),
            Text(
                f"应有 {due} 次，到 {came}" + (f"；实际约 {about.zh}一报" if about else ""),
                f"{came} of {due} reports came"
                + (f"; it reports every {about.en}" if about else ""),
            ),
        )
    if name in case.district.stations:
        yield Text("质控", "quality"), _quality(case, name)
        yield Text("规则", "rule"), _rules(case, name)


def _link(case: Case, name: str) -> Text:
    if addresses := case.addresses(name):
        at = ", ".join(addresses)
        up = (
            Text("有人听", "somebody listens") if case.listens else Text("没人听", "nobody listens")
        )
        return Text(
            f"遥测站址 {at}；本机 5651 端口{up.zh}",
            f"telemetry address {at}; on port 5651 here {up.en}",
        )
    broker = case.broker
    where = broker.address or Text("未知", "unknown")
    up = {
        True: Text("有应答", "answers"),
        False: Text("没有应答", "does not answer"),
        None: Text("没有问", "was not asked"),
    }[broker.answers]
    seen = broker.told.connected.get(name)
    more = Text("", "")
    if seen:
        at = case.when(seen[1]) if seen[1] else "?"
        more = Text(f"；{name} 最后连上 {at}", f"; {name} last connected at {at}")
    through = ", ".join(case.gateways(name))
    if euis := ", ".join(case.euis(name)):
        more = Text(f"；LoRaWAN 设备 {euis}", f"; LoRaWAN device {euis}")
    if rows := case.things(name):
        at = ", ".join(f"{r.datastream} ({r.user})" for r in rows)
        more = Text(f"；Datastream {at}", f"; Datastream {at}")
    if edges := case.edges(name):
        at = ", ".join(dict.fromkeys(f"{r.group}/{r.edge}" for r in edges))
        more = Text(f"；Sparkplug {at}", f"; Sparkplug {at}")
    if columns := case.files(name):
        at = ", ".join(f"{r.form} {r.id} {r.column}" for r in columns)
        return Text(f"气象局的文件 {at}", f"files of the weather office, {at}")
    if name in case.district.camera_sources:
        return Text("由 fengsui camera 取图", "fengsui camera fetches its pictures")
    by = Text(f"；网关 {through}", f"; gateway {through}") if through else Text("", "")
    return Text(
        f"MQTT {zh(where)} {up.zh}{more.zh}{by.zh}", f"MQTT {en(where)} {up.en}{more.en}{by.en}"
    )


def _message(case: Case, name: str) -> Text:
    letters = sorted(letters_of(case, name), key=lambda x: x.received_at)
    came = case.view.flags.heard.get(name, 0)
    good = (
        Text(f"最后收下 {case.when(came)}", f"last taken in at {case.when(came)}")
        if came
        else Text("没有收下过", "none was ever taken in")
    )
    if not letters:
        return good + Text("；一天内没有坏数据", "; no dead letters within a day")
    newest = letters[-1]
    return good + Text(
        f"；一天内 {len(letters)} 条坏数据，最后 {case.when(newest.received_at)} {newest.reason}",
        f"; {len(letters)} dead letters within a day, the last at {case.when(newest.received_at)} "
        f"{newest.reason}",
    )


def _reading(case: Case, name: str) -> Text:
    last = case.last(name)
    if last is None:
        seen = case.view.last_seen.get(name)
        if seen is None:
            return Text("从未有过", "none ever")
        return Text(
            f"一天内没有；最后观测 {case.when(seen)}",
            f"none within a day; last observed at {case.when(seen)}",
        )
    lag = last.received_at - last.observed_at
    time = (
        Text("没有自己的时间", "no time of its own")
        if last.test in OURS
        else Text(f"晚 {span(lag).zh}", f"{span(lag).en} late")
        if lag >= 0
        else Text(f"早 {span(lag).zh}", f"{span(lag).en} early")
    )
    value = _value(case, name, last.value)
    ago = span(case.now - last.received_at)
    return Text(
        f"最后 {value.zh}，观测 {case.when(last.observed_at)}，收到 {case.when(last.received_at)}"
        f"（{ago.zh}前；{time.zh}）",
        f"last {value.en}, observed at {case.when(last.observed_at)}, received at "
        f"{case.when(last.received_at)} ({ago.en} ago; {time.en})",
    )


def _value(case: Case, name: str, count: int) -> Text:
    station = case.district.stations.get(name)
    if station is None:
        said = case.view.nodes.get(name, {})
        shown = ", ".join(
            f"{q} {QUANTITIES[q].amount(said[q][1]):g}" for q in OF_NODES if q in said
        )
        return text_of(shown or str(count))
    q = QUANTITIES[station.quantity]
    amount = f"{q.amount(count):g}"
    unit = unit_words(q.unit, "zh")
    return Text(f"{amount} {unit}".rstrip(), amount + unit_words(q.unit, "en"))


def _quality(case: Case, name: str) -> Text:
    last = case.last(name)
    flag = _FLAGS.get(Flag(last.flag), Text("?", "?")) if last else Text("没有读数", "no reading")
    test = f" {last.test}" if last and last.test else ""
    held = list(held_tests(case, name))
    held += [f.test for f in case.view.flags.of(name)]
    more = ", ".join(sorted(held))
    return Text(
        f"最后一条：{flag.zh}{test}；" + (f"现有标记 {more}" if more else "没有存疑"),
        f"newest: {flag.en}{test}; " + (f"flags now: {more}" if more else "none in doubt"),
    )


def _rules(case: Case, name: str) -> Text:
    used = rules_of(case.district, name)
    if not used:
        return Text("没有规则用它", "no rule uses it")
    parts = [_rule(rule, areas) for rule, areas in used.items()]
    shown = joined(parts, _COMMA)
    marks = [case.heard.marked.get(g, 0) for g in case.district.groups_of_station.get(name, ())]
    to = min(marks, default=0)
    done = (
        Text(f"；研判到 {case.when(to)}", f"; judged up to {case.when(to)}")
        if to
        else Text("；一天内没有研判", "; nothing judged within a day")
    )
    said = case.heard.of(name).rules
    spoke = Text("", "")
    if said:
        newest = max(said.values(), key=lambda d: d.detected_at)
        at = case.when(newest.detected_at)
        spoke = Text(
            f"；最近据它说话：{newest.rule} {newest.area} {at}",
            f"; last spoke upon it: {newest.rule} {newest.area} {at}",
        )
    return shown + done + spoke


def _rule(rule: str, areas: list[str]) -> Text:
    more = "…" if len(areas) > _NAMED else ""
    shown = joined(areas[:_NAMED], _COMMA)
    return Text(f"{rule}（{shown.zh}{more}）", f"{rule} ({shown.en}{more})")


# --- the district


def district_lines(case: Case, line: list[Finding], all_: list[Looked]) -> Iterator[Said]:
    """The line itself, then who is in trouble, worst first, a line each."""
    blind, doubt = _having(all_, Weight.BLIND), _having(all_, Weight.DOUBT)
    notes = _having(all_, Weight.NOTE)
    well = len(all_) - len(blind) - len(doubt) - len(notes)
    at = case.when(case.now)
    yield Text(
        f"{case.district.name} {at}：{len(blind)} 个看不见，{len(doubt)} 个存疑，{len(notes)} 个有提示，"
        f"{well} 个好",
        f"{case.district.name_en} {at}: {len(blind)} blind, {len(doubt)} in doubt, {len(notes)} with notes, "
        f"{well} well",
    )
    yield from finding_lines(line)
    waiting = [x.name for x in notes if x.findings[0].code == "waiting"]
    for looked in (*blind, *doubt, *notes):
        if looked.name not in waiting:
            yield _row(case, looked)
    if waiting:
        shown = joined(waiting[:_NAMED], _COMMA) + ("…" if len(waiting) > _NAMED else "")
        yield Text(
            f"· 还没有收到，也还不算静默：{len(waiting)}（{shown.zh}）",
            f"· not heard yet, and not silent yet: {len(waiting)} ({shown.en})",
        )
    yield from _strange(case)


def _having(all_: list[Looked], weight: Weight) -> list[Looked]:
    return [x for x in all_ if x.weight == weight]


def _row(case: Case, looked: Looked) -> Text:
    plan, worst = case.plan(looked.name), looked.findings[0]
    cause = next((f for f in looked.findings[1:] if f.weight == Weight.BLIND), None)
    zh_, en_ = worst.what.zh, worst.what.en
    if cause is not None:
        zh_, en_ = f"{zh_}；{cause.what.zh}", f"{en_}; {cause.what.en}"
    todo = (cause or worst).todo
    sign = SIGN[looked.weight]
    return Text(
        f"{sign} {looked.name} {plan.name}：{zh_} → {todo.zh}",
        f"{sign} {looked.name} {plan.name_en}: {en_} → {todo.en}",
    )


def _strange(case: Case) -> Iterator[Said]:
    """Names that are in no table, and are nobody's who is missing."""
    from fengsui.doctor.wrong.links import near_names

    for name, letters in sorted(case.heard.letters.strange.items()):
        newest, meant = letters[-1], near_names(case, name)
        at = case.when(newest.received_at)
        yield Text(
            f"? {name} 不在表里：{len(letters)} 条没收（{newest.reason}），最后 {at}"
            + (f"；是 {meant.zh} 吗？" if meant else ""),
            f"? {name} is in no table: {len(letters)} messages refused ({newest.reason}), last at {at}"
            + (f"; did it mean {meant.en}?" if meant else ""),
        )


# --- JSON


def as_json(case: Case, line: list[Finding], all_: list[Looked]) -> dict[str, Any]:
    """The same for programs. Times are ms since 1970 UTC, words pairs [zh, en]."""
    return {
        "district": case.district.id,
        "clock_at": case.now,
        "line": [_found(f) for f in line],
        "things": [_thing(case, x) for x in all_],
        "strange": {n: len(of) for n, of in case.heard.letters.strange.items()},
    }


def _thing(case: Case, looked: Looked) -> dict[str, Any]:
    name, last = looked.name, case.last(looked.name)
    station = case.district.stations.get(name)
    came, due = slots(case, name)
    found: dict[str, Any] = {
        "id": name,
        "kind": station.quantity if station else "node",
        "weight": looked.weight.name.lower(),
        "seen_at": case.view.last_seen.get(name),
        "due": due,
        "came": came,
        "interval_s": interval_s(case, name),
        "rules": rules_of(case.district, name) if station else {},
        "findings": [_found(f) for f in looked.findings],
    }
    if last is not None:
        q = QUANTITIES.get(station.quantity) if station else None
        found["last"] = {
            "value": q.amount(last.value) if q else last.value,
            "observed_at": last.observed_at,
            "received_at": last.received_at,
            "flag": last.flag,
            "test": last.test,
        }
    return found


def _found(f: Finding) -> dict[str, Any]:
    return {
        "code": f.code,
        "layer": f.layer,
        "weight": f.weight.name.lower(),
        "what": f.what,
        "todo": f.todo,
    }
