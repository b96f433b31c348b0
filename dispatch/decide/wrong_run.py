"""A warning that was taken for another kind of run's: it ends, so that it can be said anew. Pure.

A stage that guessed could make a live run's warning one of an exercise: released at once by a policy
that does not hold, and told to nobody. Nothing that came of the guess is kept: what was let out, the
questions, the id under which recipients would count as told. What persons ordered stays.
"""

from config.language import Text
from dispatch.decide.case import Case, Setting
from dispatch.decide.lifecycle import ended
from dispatch.records import Alert

ANEW = (Text("重新说明", "said again"),)
_WHY = Text(
    "此前误按另一类运行（实战、演练）处理，现作废，按本运行重新研判",
    "it was taken for another kind of run, exercise or live: void, judged anew as what it is",
)


def withdrawn(setting: Setting, case: Case, now: int) -> Alert | None:
    """The last version of a warning whose status is not that of this run, and the case without it;
    None where there is no such warning. It keeps its status: it goes to nobody."""
    before = case.alert
    if before is None or (before.status == "actual") == setting.live:
        return None
    last = ended(before, "cancelled", max(now, case.last_sent_at), (_WHY,), "policy")
    case.void(last)
    return last
