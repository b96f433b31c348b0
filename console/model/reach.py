"""How far the newest word of every warning came, recipient by recipient. Pure.

A recipient counts once for each warning, by the best of what was sent of its newest version.
Reached means what the outbox means (dispatch/send/outbox/state.py): a loudspeaker sounded, whoever
must answer answered.
"""

from dataclasses import dataclass, field

from console.model.picture import ReachRow
from console.model.view import Sent, View
from dispatch.channels.status_words import FINAL
from dispatch.notices import DUTY
from dispatch.records import Delivery, Receipt
from dispatch.send.outbox.state import RANK
from stream.records import Record

KEPT_MS = 24 * 3_600_000  # after a warning's end
_ENDED = ("failed", "expired")
_RANK: dict[str, int] = {str(state): n for state, n in RANK.items()}


@dataclass
class Reached:
    """newest: (alert, recipient) -> ids of what was sent of the newest version; places: area -> those
    keys; stale: areas to be counted anew; records: how many came of an area; played: node -> when it
    last sounded."""

    newest: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    places: dict[str, dict[tuple[str, str], None]] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    played: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    rows: dict[str, ReachRow] = field(default_factory=dict)
    minute: int = 0

    def take(self, record: Record, view: View) -> None:
        """Fold one record in, after the view has."""
        if isinstance(record, Delivery):
            self._delivery(record, view)
        elif isinstance(record, Receipt) and record.delivery in view.sent:
            d = view.sent[record.delivery].delivery
            self._changed(d.area)
            if record.state == "played":
                self.played[d.recipient] = record.receipt_at

    def _delivery(self, d: Delivery, view: View) -> None:
        # a notice of what did not arrive, and one that speaks for others, is nobody's warning
        if d.recipient.startswith(DUTY) or d.covers or d.reply or d.alert not in view.alerts:
            return
        key, known = (d.alert, d.recipient), self.newest.get((d.alert, d.recipient))
        if known and view.sent[known[0]].delivery.version > d.version:
            return
        if known and view.sent[known[0]].delivery.version == d.version:
            known.append(d.id)
        else:
            self.newest[key] = [d.id]
        self.places.setdefault(d.area, {})[key] = None
        self._changed(d.area)

    def _changed(self, area: str) -> None:
        self.stale.add(area)
        self.records[area] = self.records.get(area, 0) + 1

    def best(self, view: View, key: tuple[str, str]) -> Sent:
        """How far the newest version came to this recipient at best."""
        return max(
            (view.sent[i] for i in self.newest[key]),
            key=lambda s: (arrived(s), s.state not in _ENDED, _RANK.get(s.state, -1), s.at),
        )

    def current(self, view: View, area: str, now: int) -> list[Sent]:
        """Everybody who was told of this area, while its warnings last and a day after."""
        found = []
        for key in self.places.get(area, ()):
            alert = view.alerts[key[0]]
            ended = alert.msg_type == "cancel" or alert.state == "expired"
            if not ended or alert.sent_at > now - KEPT_MS:
                found.append(self.best(view, key))
        return found


def arrived(s: Sent) -> bool:
    """Was the recipient reached?"""
    if s.delivery.must_answer:
        return s.state == "answered"
    return s.state in FINAL.get(s.channel, ("answered",))


def missed(s: Sent, now: int) -> bool:
    """Not reached, and no time is left, nothing more is tried, or somebody had it sent again. What a
    quiet night holds back, and what a newer version or an end of the warning replaced, is not
    missed."""
    d = s.delivery
    if arrived(s) or s.state == "superseded" or now < d.not_before:
        return False
    return bool(d.asked_by) or s.state in _ENDED or now > d.deadline_at
