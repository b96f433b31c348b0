"""Who is covered by nothing or by little, in a line a kind of gap."""

from collections import Counter

from config.records.district import District
from dispatch.address.coverage import WORDS, coverage


def coverage_summary(district: District) -> list[str]:
    """One line a kind of gap, for `fengsui check`. Without contacts.csv only what hangs on
    loudspeakers is known there."""
    gaps = coverage(district, lists=bool(district.contacts))
    count = Counter(g.check for g in gaps)
    if not gaps:
        return []
    out = [f"! {check} {count[check]} 区 areas: {WORDS[check]}" for check in WORDS if count[check]]
    return [*out, "逐区 each of them: fengsui coverage"]
