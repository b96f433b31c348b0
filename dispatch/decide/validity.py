"""Until when what is said counts, and when it is said again. Pure.

A warning that goes on unchanged is said again before its last public word runs out, and not earlier:
a version that is news for the duty room alone is none for the village. Nobody is woken to hear that
all is as it was: where that moment lies in the policy's night, the validity reaches beyond the end of
the night instead. All warnings of a village that one night holds are so renewed together.
"""

from config.records.authority import Policy
from dispatch.decide.case import Case, Setting
from dispatch.words.local_time import quiet_until

_AHEAD_MS = 30 * 60_000  # or a quarter of the validity, where that is less


def ahead_ms(policy: Policy) -> int:
    """How long before its end a word is said again, ms."""
    return min(_AHEAD_MS, policy.valid_s * 250)


def valid_until(policy: Policy, zone: str, at: int) -> int:
    """The end of what is said at `at`, epoch ms, if evidence renews it."""
    end, ahead = at + policy.valid_s * 1000, ahead_ms(policy)
    morning = quiet_until(policy.night, end - ahead, zone)
    return max(end, morning + ahead) if morning else end


def renewal_due(
    setting: Setting, case: Case, now: int, thin: bool, *, together: bool = False
) -> bool:
    """Is the open warning to be said again now, unchanged? Not because a version came that was news
    for the duty room alone, and not later for it either: what the village was told runs out when it
    was told so. together: another warning of the village is; this one's second half is enough."""
    policy, before = setting.district.policy, case.alert
    if before is None:
        return False
    end = case.told_until if case.force and case.told_until else before.expires_at
    if not (case.need.whole or thin) and before.expires_at <= end:
        return False  # a person's order, which the village knows will lapse then
    return now >= end - (policy.valid_s * 500 if together else ahead_ms(policy))


def until(setting: Setting, case: Case, now: int, thin: bool, *, again: bool) -> int:
    """The end of a version made `now`. What no evidence holds ends when its time is over, as it was
    said; again: it is only said once more."""
    district, before = setting.district, case.alert
    if case.need.whole or thin:
        return valid_until(district.policy, district.timezone, now)
    if again and before is not None:
        return before.expires_at
    end = now + district.policy.valid_s * 1000
    return max(end, before.expires_at) if before is not None else end
