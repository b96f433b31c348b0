"""A broadcast platform: whether it takes what we post, whether it posts to us, what of its terminals is known.
Pure."""

from collections.abc import Iterator

from config.language import Said, Text
from config.records.channels import Carrier
from dispatch.address.platform_terminals import counted, line_of
from dispatch.records import RouteHealth
from fengsui.doctor.case import Case, Finding, Weight

_CHANNEL = "broadcast_platform"
_BAD = frozenset({"2", "3"})  # off, fault


def platforms(case: Case) -> dict[str, Carrier]:
    """The rows of channels.toml, by name."""
    return {row.name: row for row in case.district.channels.carrier if row.kind == "ebd"}


def platform_lines(case: Case, name: str) -> Iterator[Said]:
    """The head and what was last heard of one platform."""
    yield Text(f"{name}（应急广播平台）", f"{name} (broadcast platform)")
    for zh, en, way in (
        ("我们发、平台收", "we post", name),
        ("平台推送、我们收", "it posts", f"{name}-back"),
    ):
        yield Text(f"  {zh}：", f"  {en}: ") + _told(
            case, case.view.health.get(f"{_CHANNEL}/{way}")
        )
    for c in counted(case.district, {name: case.view.terminals.get(name, {})}):
        yield "  " + line_of(c)


def _told(case: Case, h: RouteHealth | None) -> Text:
    if h is None:
        return Text("还没有巡检过", "not probed yet")
    state = Text("正常", "well") if h.up else Text("中断 ", "DOWN ") + h.detail
    return state + f" {case.when(h.checked_at)}"


def of_platform(case: Case, name: str) -> list[Finding]:
    """What is wrong with it, the worst first."""
    return sorted(_of_ways(case, name) + _of_messages(case, name), key=lambda f: -f.weight)


def _of_ways(case: Case, name: str) -> list[Finding]:
    row, found = platforms(case)[name], list[Finding]()
    there, back = (case.view.health.get(f"{_CHANNEL}/{n}") for n in (name, f"{name}-back"))
    if there is not None and not there.up:
        what = Text("平台不收我们的包：", "the platform does not take our packets: ") + there.detail
        todo = Text(
            "核对 url、网络、双方资源编码和证书；此刻请用别的渠道，或在平台上手工播",
            "check url, network, both codes and certificates; now use other ways, or the platform by hand",
        )
        found.append(Finding("platform_down", "link", Weight.BLIND, what, todo))
    if back is not None and not back.up:
        what = Text("平台没有推送：", "the platform posts nothing: ") + back.detail
        place = f"http://{row.platform.listen}{row.platform.path}"
        todo = Text(
            f"请平台核对推送地址 {place}；播没播，先电话问",
            f"have the platform check where it posts, {place}; ask by telephone what was played",
        )
        found.append(Finding("platform_silent", "link", Weight.DOUBT, what, todo))
    terminals = case.view.terminals.get(name, {})
    if not terminals:
        what = Text("平台没有报过终端", "the platform told of no terminal")
        todo = Text("请平台上报 EBRDTInfo、EBRDTState", "ask for EBRDTInfo and EBRDTState")
        found.append(Finding("no_terminals", "message", Weight.NOTE, what, todo))
    elif bad := [t.code for t in terminals.values() if t.state in _BAD]:
        some = ", ".join(sorted(bad)[:5])
        what = Text(
            f"{len(bad)} 个终端关着或有故障：{some}",
            f"{len(bad)} terminals off or at fault: {some}",
        )
        todo = Text("请平台运维派修；那里改用别的渠道", "have them mended; use other ways there")
        found.append(Finding("terminals_bad", "reading", Weight.NOTE, what, todo))
    return found


def _of_messages(case: Case, name: str) -> list[Finding]:
    """Warnings that it has taken and of which it never said more."""
    contact = platforms(case)[name].contact
    late_ms = case.district.channels.played_within_s * 1000
    quiet = [
        s.delivery.alert
        for s in case.view.sent.values()
        if s.delivery.recipient == contact
        and s.channel == _CHANNEL
        and s.state in ("accepted", "failed", "expired")
        and s.delivery.msg_type != "cancel"
        and case.now - s.delivery.queued_at > late_ms
    ]
    if not quiet:
        return []
    some = ", ".join(quiet[-3:])
    what = Text(
        f"{len(quiet)} 条平台收了或没收，没有播出结果：{some}",
        f"of {len(quiet)} messages nothing says that they were played: {some}",
    )
    todo = Text(
        "按编号到平台上查（发送页的详情里有 EBMID）", "look them up at the platform by their EBMID"
    )
    return [Finding("not_played", "message", Weight.DOUBT, what, todo)]
