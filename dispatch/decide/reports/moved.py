"""Who moved, as a report says it where a move is to be proved: by ways, proven or not, not reached; and the
places with an order to move from which nobody has said how many. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable

from config.language import Text, joined
from config.records.district import District
from dispatch.proving.transfers import HOWS, Sums, Transfers

HOW_WORDS = {
    "shelter": Text("安置点", "to shelters"),
    "relatives": Text("投亲靠友", "to relatives"),
    "upstairs": Text("上楼", "upstairs"),
    "": Text("未写去处", "to a place not named"),
}


def reported(
    district: District, transfers: Transfers, areas: Collection[str], since_at: int
) -> dict[str, Sums]:
    """Of each area from which somebody said how many moved."""
    known = [a for a in areas if a in district.areas]
    sums = {a: transfers.sums(district, a, since_at, district.areas[a].population) for a in known}
    return {a: s for a, s in sums.items() if s is not None}


def moved_in_words(told: Collection[Sums]) -> Text:
    """Of these areas together; nothing while nobody has said that anybody moved."""
    found = list(told)
    if not found:
        return Text("", "")
    ways: Counter[str] = Counter()
    for s in found:
        ways.update({str(how): n for how, n in s.ways.items()})
    proven, unproven = sum(s.proven for s in found), sum(s.unproven for s in found)
    both, left = proven + unproven, sum(s.not_reached for s in found)
    out = Text(
        f"；{len(found)}处报告转移{both}人，有据{proven}、未证实{unproven}、未到{left}",
        f"; {both} have moved, as {len(found)} places report, {proven} proven, {unproven} unproven, "
        f"{left} not reached",
    )
    named = [HOW_WORDS[how] + f" {ways[how]}" for how in HOWS if ways[how]]
    if named:
        out += Text("（", " (") + joined(named, Text("、", ", ")) + Text("）", ")")
    if unsafe := sum(s.unsafe for s in found):
        out += Text(f"，{unsafe}人在楼上而不安全", f", {unsafe} upstairs where that is not safe")
    return out


def unreported(district: District, ordered: Iterable[str], told: Collection[str]) -> list[str]:
    """Places with an order to move from which nobody has said how many moved, those with most people first."""
    silent = {a for a in ordered if a in district.areas} - set(told)
    return sorted(silent, key=lambda a: (-district.areas[a].population, a))


def silence_in_words(district: District, areas: Collection[str], named: Text) -> Text:
    """That nobody said anything from there, which is no sign that all is well. named: `areas` in words."""
    if not areas:
        return Text("", "")
    n = sum(district.areas[a].population for a in areas)
    places = "1 place" if len(areas) == 1 else f"{len(areas)} places"
    return (
        Text(
            f"；已令转移而无人报告人数：{len(areas)}处{n}人，",
            f"; ordered to move, and nobody has reported how many did, {places} with {n} people: ",
        )
        + named
    )
