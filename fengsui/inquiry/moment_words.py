"""The picture of a moment as lines of text, the same for the terminal and for the page. Pure."""

from collections.abc import Callable, Iterator

from config.language import Said, Text, en, joined, zh
from fengsui.inquiry.moment import Moment, QuestionThen, WarningThen

At = Callable[[int], str]
_MINUTE_MS = 60_000


def lines(m: Moment, at: At) -> Iterator[Said]:
    """at: a moment (ms) as it is written in the district."""
    yield Text(
        f"{at(m.at)} 值班台所知（按记录重建）",
        f"what the duty room knew at {at(m.at)} (rebuilt from the records)",
    )
    if not m.clock_at:
        yield Text("  那时全线还没有记录", "  the line had no record yet")
        return
    if m.at - m.clock_at > 2 * _MINUTE_MS:
        yield Text(
            f"  ! 全线的时钟停在 {at(m.clock_at)}：其后到那时没有记录",
            f"  ! the line's own clock stood at {at(m.clock_at)}: it recorded nothing from then on",
        )
    yield from _stations(m, at)
    yield from _blind(m, at)
    yield from _warnings(m, at)
    if m.dead_letters:
        many = ", ".join(f"{reason} {n}" for reason, n in m.dead_letters.items())
        yield Text(f"坏数据，累计：{many}", f"dead letters so far: {many}")


def _stations(m: Moment, at: At) -> Iterator[Said]:
    heard = [s for s in m.stations if s.heard_at is not None]
    yield Text(
        f"收到过的站：{len(heard)}/{len(m.stations)}",
        f"stations heard: {len(heard)} of {len(m.stations)}",
    )
    for s in heard:
        assert s.heard_at is not None
        mark = Text("  静默", "  SILENT") if s.silent else Text("", "")
        yield f"  {s.id} " + s.name + f": {s.said} ({at(s.heard_at)})" + mark
    if never := [s.id for s in m.stations if s.heard_at is None]:
        yield Text(f"  从未收到：{' '.join(never)}", f"  never heard: {' '.join(never)}")


def _blind(m: Moment, at: At) -> Iterator[Said]:
    none = not (m.blind or m.ways_down or m.nodes_silent)
    yield Text("看不见的：", "blind:") + (Text("无", " nothing") if none else "")
    for b in m.blind:
        thin = Text("，不足以判定无事", ", too little to call it quiet") if b.thin else ""
        away = " ".join(b.service)
        gone = " ".join(b.silent)
        yield (
            f"  {b.area} "
            + b.place
            + Text(
                f": {b.expected} 站中 {b.live} 站有数",
                f": {b.live} of {b.expected} stations spoke",
            )
            + (Text(f"，静默 {gone}", f", silent {gone}") if gone else "")
            + (Text(f"，维护中 {away}", f", in service {away}") if away else "")
            + thin
        )
    if m.nodes_silent:
        names = " ".join(m.nodes_silent)
        yield Text(f"  静默的喇叭：{names}", f"  silent loudspeakers: {names}")
    for way in m.ways_down:
        yield Text(
            f"  发送通道 {way.name} 自 {at(way.since_at)} 不通：{zh(way.why)}",
            f"  way out {way.name} down, as known since {at(way.since_at)}: {en(way.why)}",
        )


def _warnings(m: Moment, at: At) -> Iterator[Said]:
    waiting = sum(bool(w.questions) for w in m.warnings)
    yield Text(
        f"在办预警：{len(m.warnings)}，其中等待决定 {waiting}",
        f"open warnings: {len(m.warnings)}, of them {waiting} waited for a decision",
    )
    for w in m.warnings:
        yield _warning(w, at)
        for q in w.questions:
            yield _question(m, q, at)


def _warning(w: WarningThen, at: At) -> Said:
    force = w.grade or Text("无", "nothing")
    shown = Text("公开", "public") if w.public else Text("未公开", "not public")
    return (
        f"  {w.area} "
        + w.place
        + Text(
            f" {w.hazard.zh}：生效 {force.zh}（{shown.zh}，第{w.version}版），依据要求 {w.asks.zh}；自 "
            f"{at(w.since_at)}；收到 {w.reached}/{w.sent}，叫应 {w.answered}/{w.must}",
            f" {w.hazard.en}: in force {force.en} ({shown.en}, version {w.version}), the evidence asked for "
            f"{w.asks.en}; since {at(w.since_at)}; reached {w.reached} of {w.sent}, answered "
            f"{w.answered} of {w.must}",
        )
    )


def _question(m: Moment, q: QuestionThen, at: At) -> Said:
    called = joined(q.called or ("-",), " ")
    until = at(q.deadline_at) if q.deadline_at else "-"
    over = Text("", "")
    if q.deadline_at is not None and q.deadline_at < m.at:
        over = Text("（已过时限）", " (OVERDUE)")
    signed = " ".join(q.signed)
    named = Text(f"，已署名 {signed}", f", signed {signed}") if signed else Text("", "")
    return Text(
        f"    待决：{q.words.zh}，自 {at(q.since_at)} 在问 {zh(called)}，至 {until}{over.zh}{named.zh}",
        f"    open: {q.words.en}, asked of {en(called)} since {at(q.since_at)}, until {until}{over.en}"
        f"{named.en}",
    )
