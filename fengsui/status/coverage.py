"""Who is covered by nothing or by little, in a line a kind of gap."""

from collections import Counter

from config.language import Said, Text, en, zh
from config.records.district import District
from dispatch.address.coverage import WORDS, coverage, told


def coverage_summary(district: District) -> list[Said]:
    """One line a kind of gap, for `fengsui check`. Without contacts.csv only what hangs on
    loudspeakers is known there."""
    gaps = coverage(district, lists=bool(district.contacts))
    count = Counter(g.check for g in gaps)
    if not gaps:
        return []
    out = [
        Text(
            f"! {check} {count[check]} 区：{zh(WORDS[check])}",
            f"! {check} {count[check]} areas: {en(WORDS[check])}",
        )
        for check in WORDS
        if count[check] and check != "unit_nobody"  # these are named
    ]
    out += [Text("! ", "! ") + told(district, g) for g in gaps if g.check == "unit_nobody"]
    return [*out, Text("逐区列出：fengsui coverage", "each of them: fengsui coverage")]
