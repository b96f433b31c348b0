"""What a node does on its own, when the centre has not been heard for long: its mandate, its gauge,
and the account it owes. Pure.

An act is counted before it sounds. The centre's word comes first again as soon as it is heard: its
cancel silences, and readings before it count no more; its order for what the node has said already
is said once, as a confirmation; an order below it that was given before the node spoke is refused.
"""

from collections.abc import Collection

import msgspec

from config.language import Text
from config.records.level import Action
from dispatch.nodes.mandate import Reading, met
from dispatch.nodes.protocol import Command, Kind, Mandate, NodeReport
from dispatch.nodes.trust import NodeTrust, counts

CONFIRMS = "以下是区里的正式通知。"
TELL_EVERY_MS = 30_000  # a report is repeated until it is noted
_CONFIRM_MS = 30 * 60_000
_GAUGE_MS = 6 * 3_600_000


class Alone(msgspec.Struct, kw_only=True):
    """Durable. signer: the key (hex) that signed the mandate. used: acts under this mandate."""

    mandate: Mandate | None = None
    signer: str = ""
    used: int = 0
    gauge: list[Reading] = []
    muted_at: int = 0
    loud_at: int = 0  # when the node last said an order, told or alone
    loud_action: Action = Action.NONE
    reports: list[NodeReport] = []  # not yet noted
    last: NodeReport | None = None

    def take(self, mandate: Mandate, signer: str) -> bool:
        """A newer mandate; False if it is not newer."""
        if self.mandate is not None and mandate.issued_at <= self.mandate.issued_at:
            return False
        self.mandate, self.signer, self.used = mandate, signer, 0
        return True

    def measure(self, at: int, quantity: str, count: int) -> None:
        """A reading of the node's own gauge."""
        self.gauge = [r for r in self.gauge if r[0] > at - _GAUGE_MS]
        self.gauge.append((at, quantity, count))

    def act(
        self, trust: NodeTrust, node: str, kind: Kind, at: int, unheard_ms: int
    ) -> tuple[NodeReport, Mandate] | None:
        """The act that is due at `at`, counted and on the books; None if there is none."""
        m = self.mandate
        if m is None or m.kind != kind or unheard_ms <= m.after_s * 1000:
            return None
        signer = next((k for k in trust.keys.keys if k.public == self.signer), None)
        if signer is None or not counts(signer.until_at, at):
            return None
        if not m.valid_from_at <= at < m.valid_until_at or self.used >= m.plays:
            return None
        found = met(m, self.gauge, at, self.muted_at)
        if found is None:
            return None
        action = found.clause.action
        if at < self.loud_at + m.gap_s * 1000 and action <= self.loud_action:
            return None
        self.used += 1
        self.loud(action, at)
        report = NodeReport(
            node=node,
            kind=kind,
            act=f"{node}-{m.issued_at}-{self.used}",
            state="playing",
            mandate_at=m.issued_at,
            area=m.area,
            hazard=m.hazard,
            action=action,
            text=m.move_text if action == Action.MOVE else m.prepare_text,
            quantity=found.clause.quantity,
            window_min=found.clause.window_min,
            count=found.value,
            lost_at=at - unheard_ms,
            began_at=at,
        )
        self.last = report
        self.reports = [*self.reports, report]
        return report, m

    def ended(self, act: str, state: str, detail: Text) -> NodeReport:
        """How an act went; the report says so from now on."""
        report = next(r for r in self.reports if r.act == act)
        fresh = msgspec.structs.replace(report, state=state, detail=detail.zh, detail_en=detail.en)
        self.reports = [r for r in self.reports if r.act != act] + [fresh]
        if self.last is not None and self.last.act == act:
            self.last = fresh
        return fresh

    def note(self, acts: Collection[str]) -> None:
        """The centre has these, as `act/state`. One that still sounds has more to say."""
        self.reports = [
            r for r in self.reports if r.state == "playing" or f"{r.act}/{r.state}" not in acts
        ]

    def loud(self, action: Action, at: int) -> None:
        """An order was said."""
        if action:
            self.loud_at, self.loud_action = at, action

    def mute(self, area: str, at: int) -> None:
        """The centre has cancelled what was in force for the area."""
        if self.mandate is None or self.mandate.area == area:
            self.muted_at, self.loud_action = max(self.muted_at, at), Action.NONE

    def said_more(self, command: Command) -> bool:
        """Was the command given before the node said something more urgent there by itself?"""
        last = self.last
        return (
            last is not None
            and last.state != "failed"
            and command.msg_type != "cancel"
            and command.area == last.area
            and command.action < last.action
            and command.issued_at <= last.began_at
        )

    def confirmed_by(self, command: Command, at: int) -> bool:
        """Does the command order what the node has said by itself a short time ago?"""
        last = self.last
        return (
            last is not None
            and last.state != "failed"
            and last.began_at > self.muted_at
            and command.msg_type != "cancel"
            and command.area == last.area
            and Action.NONE < command.action <= last.action
            and at - last.began_at < _CONFIRM_MS
        )
