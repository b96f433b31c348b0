"""The life of a warning: which act may lead from which state to which. Nothing else exists.

    proposed   something waits for a decision (a lower level may be out already)
    returned   sent back to be mended; asked again when that is done, or when its time is over
    held       stopped for now      rejected   turned down      released   nothing waits
    cancelled, expired   ended: this id never speaks again
    closed     the incident's final report is made (a decision `close`; no version of the warning)

"" is a warning that is not there yet. `evidence` stands for what is no person's act: the rules,
time, and the defaults of deadlines.
"""

from typing import Any

import msgspec

from config.language import Text
from config.records.level import Action, Level
from dispatch.grade import sentence
from dispatch.records import Alert

# of several open questions the state tells the one that stands first here; when it is decided, what
# is left of the others shows
_PROPOSED = ("proposed", "returned", "held", "rejected", "released")
_RETURNED = _PROPOSED[1:]
_HELD = _PROPOSED[2:]
_REJECTED = _PROPOSED[3:]
_ENDS = ("cancelled", "expired")
TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "": {
        "evidence": ("proposed", "released"),
        "raise": ("proposed", "released"),
        "override": ("released",),
    },
    "proposed": {
        "evidence": (*_PROPOSED, *_ENDS),
        "approve": ("proposed",),
        "release": _PROPOSED,
        "return": ("proposed", "returned"),
        "hold": ("proposed", "returned", "held"),
        "reject": (*_PROPOSED, "cancelled"),
        "raise": _PROPOSED,
        "lower": _PROPOSED,
        "cancel": ("proposed", "cancelled"),
        "escalate": ("proposed",),
        "override": _PROPOSED,
    },
    "returned": {
        "evidence": ("proposed", *_RETURNED, *_ENDS),
        "propose": ("proposed",),
        "approve": ("proposed",),
        "release": ("proposed", *_RETURNED),
        "hold": ("returned", "held"),
        "reject": (*_RETURNED, "cancelled"),
        "raise": ("proposed", *_RETURNED),
        "lower": _RETURNED,
        "cancel": ("returned", "cancelled"),
        "override": _RETURNED,
    },
    "held": {
        "evidence": ("proposed", *_HELD, *_ENDS),
        "propose": ("proposed",),
        "approve": ("proposed",),
        "release": ("proposed", *_HELD),
        "reject": (*_HELD, "cancelled"),
        "raise": ("proposed", *_HELD),
        "lower": _HELD,
        "cancel": ("held", "cancelled"),
        "override": _HELD,
    },
    "rejected": {
        "evidence": ("proposed", *_REJECTED, *_ENDS),
        "propose": ("proposed",),
        "raise": ("proposed", *_REJECTED),
        "lower": _REJECTED,
        "cancel": ("rejected", "cancelled"),
        "override": _REJECTED,
    },
    "released": {
        "evidence": ("proposed", "released", *_ENDS),
        "raise": ("proposed", "released"),
        "lower": ("released",),
        "cancel": ("released", "cancelled"),
        "override": ("released",),
    },
    "cancelled": {"close": ("closed",)},
    "expired": {"close": ("closed",)},
    "closed": {},
}


def allowed(state: str, act: str) -> bool:
    """May this act be done at all in this state?"""
    return act in TABLE[state]


def follows(state: str, act: str, then: str) -> bool:
    """Is it one of the table's transitions?"""
    return then in TABLE[state].get(act, ())


def ended(
    before: Alert, state: str, at: int, because: tuple[Text, ...], by: str, **more: Any
) -> Alert:
    """The last version of a warning. Nothing is asked any more, and whatever was asked anew before
    (`again`), all who were told hear of the end. more: what else changes."""
    return msgspec.structs.replace(
        before,
        version=before.version + 1,
        again=0,
        msg_type="cancel",
        state=state,
        level=Level.NONE,
        action=Action.NONE,
        questions=(),
        notified=(),
        sent_at=at,
        reason=sentence(because),
        by=by,
        deadline_at=None,
        suspect=False,
        next_at=None,
        **more,
    )
