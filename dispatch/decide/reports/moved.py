"""Who moved, as a report says it where a move is to be proved: by ways, proven or not, not reached. Pure."""

from collections import Counter
from collections.abc import Collection

from config.language import Text, joined
from config.records.district import District
from dispatch.proving.transfers import HOWS, Transfers

HOW_WORDS = {
    "shelter": Text("安置点", "to shelters"),
    "relatives": Text("投亲靠友", "to relatives"),
    "upstairs": Text("上楼", "upstairs"),
    "": Text("未写去处", "to a place not named"),
}


def moved_in_words(
    district: District, transfers: Transfers, areas: Collection[str], since_at: int
) -> Text:
    """Of these areas together; nothing while nobody has said that anybody moved."""
    known = [a for a in areas if a in district.areas]
    found = [
        s
        for a in known
        if (s := transfers.sums(district, a, since_at, district.areas[a].population)) is not None
    ]
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
