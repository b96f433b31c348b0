"""What a village loudspeaker does: the whole of its judgement, without its hands. Pure.

The simulated loudspeakers and `fengsui node` are this state machine with other hands. Memory is two
parts: `Kept` is written down before anything that follows from it is done (so a node that loses its
power at any instruction says a thing twice rather than never, and never what it has refused), the
rest is of this start. Every step takes the node's own clocks as a `Moment` and returns what the
hands must do.
"""

from collections import Counter
from typing import Literal

from config.language import Text
from config.records.level import Action, Level
from config.records.quantity import QUANTITIES
from dispatch.nodes import standalone
from dispatch.nodes.memory import (
    RED_FLOOR,
    Effect,
    Greet,
    Job,
    Kept,
    Play,
    PublishState,
    Said,
    Setup,
    Stop,
    job_alone,
    urgency,
)
from dispatch.nodes.protocol import (
    Command,
    Hello,
    NodeAck,
    Noted,
    Refused,
    SelfTest,
    judged,
    opened,
    what_of,
)
from dispatch.nodes.seal import unsealed
from dispatch.nodes.trust import (
    Moment,
    Time,
    active,
    hear_beacon,
    hear_keys,
    hear_mandate,
    reckoned,
)

PLAY_MS = 150_000  # the watchdog: longer than this nothing sounds
TRIES = 3  # of a text whose playing ended with the node's power
TEST_EVERY_MS = 7 * 86_400_000
TEST_HOURS_UTC = (1, 9)  # by day in China
_KEPT_MS = 2 * 86_400_000  # after its expiry a command's id is remembered
_TEST_ID = "self-test"
_NOTHING = Text("", "")
_EXPIRED = Text("已过期", "expired")


class Node:
    """One loudspeaker's judgement."""

    def __init__(self, setup: Setup, kept: Kept, moment: Moment, nonce: str = "") -> None:
        self.setup = setup
        self.kept = kept
        self.time = Time(started_run=moment.run, heard_run=moment.run, nonce=nonce)
        self.playing: tuple[str, int] | None = None  # job, since when (run)
        self.refused: Counter[str] = Counter()
        self.battery: float | None = None
        self._told_run = moment.run - standalone.TELL_EVERY_MS

    def hello(self, nonce: str) -> Hello:
        """What to say when there is (again) a connection; nonce: random, never used before. One
        that was not answered stays: its answer may be on the way."""
        self.time.nonce = self.time.nonce or nonce
        self._told_run = -(2**53)  # what it owes is told at once
        mandate = self.kept.alone.mandate
        version = self.kept.trust.keys.version
        issued = mandate.issued_at if mandate else 0
        return Hello(node=self.setup.id, keys=version, mandate_at=issued, nonce=self.time.nonce)

    def now(self, moment: Moment) -> tuple[int, bool]:
        """What time it is, and whether that is sure."""
        return reckoned(self.kept.trust, self.time, moment)

    def hear(self, payload: bytes, moment: Moment) -> list[Effect]:
        """A message came in, on any of the node's topics."""
        me, kept = self.setup, self.kept
        body = unsealed(me.box_key, me.id, payload) if me.box_key else payload
        if body is None:
            return self._refuse("bad_payload")
        at, _ = self.now(moment)
        match what_of(body):
            case "command":
                return self._command(body, moment)
            case "beacon":
                reason = hear_beacon(kept.trust, self.time, moment, body, me.kind)
            case "keys":
                reason = hear_keys(kept.trust, body, me.kind)
                if reason is None:
                    return [Greet()]
            case "mandate":
                found = hear_mandate(kept.trust, body, me.kind, me.id, at)
                reason = found.reason if isinstance(found, Refused) else None
                if not isinstance(found, Refused) and not kept.alone.take(*found):
                    reason = "older"
            case "noted":
                noted = opened(body, Noted, me.kind, active(kept.trust, at))
                reason = noted.reason if isinstance(noted, Refused) else None
                if isinstance(noted, Noted) and noted.node == me.id:
                    kept.alone.note(noted.acts)
            case "self_test":
                return self._self_test(body, moment)
            case _:
                reason = "bad_payload"
        return self._refuse(reason) if reason else []

    def _refuse(self, reason: str) -> list[Effect]:
        self.refused[reason] += 1
        return []

    def _command(self, body: bytes, moment: Moment) -> list[Effect]:
        me, kept = self.setup, self.kept
        at, sure = self.now(moment)
        found = opened(body, Command, me.kind, active(kept.trust, at))
        if isinstance(found, Refused):
            self.refused[found.reason] += 1
            c = found.message
            if isinstance(c, Command) and c.node == me.id:
                return [self._ack(c.id, "refused", at, Text(found.reason, ""))]
            return []
        self.time.heard_run = moment.run
        seen = {i for i, s in kept.said.items() if not s.again}
        highest = {alert: version for alert, (version, _) in kept.highest.items()}
        reason = judged(found, me.id, at, seen, highest)
        if reason is None and not sure:
            reason = "no_time"
        if reason is None and kept.alone.said_more(found):
            reason = "said_more"
        if reason == "seen":
            self.refused[reason] += 1
            said = kept.said[found.id]
            words = Text(said.detail, said.detail_en)
            return [self._ack(found.id, said.state, at, words)]
        if reason is not None:
            self.refused[reason] += 1
            return [self._ack(found.id, "refused", at, Text(reason, ""))]
        return self._obey(found, at)

    def _obey(self, c: Command, at: int) -> list[Effect]:
        kept = self.kept
        effects: list[Effect] = []
        for job in list(kept.jobs):
            alone = job.source == "mandate" and job.area == c.area
            older = job.source == "command" and job.alert in (c.alert, *c.also) and job.id != c.id
            if older or (alone and c.msg_type == "cancel"):
                effects += self._drop(job, at, Text("已有新版", "there is a newer version"))
        if c.msg_type == "cancel":
            kept.alone.mute(c.area, c.issued_at)
        confirms = kept.alone.confirmed_by(c, at)
        urgent = c.level == Level.RED or c.action == Action.MOVE
        job = Job(
            id=c.id,
            source="command",
            alert=c.alert,
            version=c.version,
            area=c.area,
            level=c.level,
            action=c.action,
            text=(standalone.CONFIRMS if confirms else "") + c.text,
            repeat=1 if confirms else max(1, min(c.repeat, 10)),
            volume=max(min(c.volume, 100), RED_FLOOR if urgent else 0),
            siren=not confirms and c.msg_type != "cancel" and bool(c.action or c.level),
            issued_at=c.issued_at,
            expires_at=c.expires_at,
        )
        kept.jobs = [j for j in kept.jobs if j.id != c.id] + [job]
        kept.said[c.id] = Said(state="accepted", expires_at=c.expires_at)
        kept.highest[c.alert] = (c.version, c.expires_at)
        self._forget(at)
        return [*effects, self._ack(c.id, "accepted", at)]

    def _self_test(self, body: bytes, moment: Moment) -> list[Effect]:
        at, sure = self.now(moment)
        found = opened(body, SelfTest, self.setup.kind, active(self.kept.trust, at))
        if isinstance(found, Refused):
            return self._refuse(found.reason)
        if found.node != self.setup.id:
            return self._refuse("wrong_node")
        if not sure or at >= found.expires_at:
            return self._refuse("expired" if sure else "no_time")
        if found.id in self.kept.said:
            return self._refuse("seen")
        self.kept.said[found.id] = Said(state="accepted", expires_at=found.expires_at)
        self._want_test(at)
        return []

    def _want_test(self, at: int) -> None:
        if any(job.source == "self_test" for job in self.kept.jobs):
            return
        self.kept.jobs.append(
            Job(
                id=_TEST_ID, source="self_test", alert="", version=0, area="", level=Level.NONE,
                action=Action.NONE, text="", repeat=1, volume=20, siren=True, issued_at=at,
                expires_at=at + 3_600_000,
            )
        )  # fmt: skip

    def measured(self, quantity: str, count: int, moment: Moment) -> bool:
        """A value of the node's own gauge, in counts of the quantity's resolution. False: it cannot
        be, and was left out."""
        row = QUANTITIES.get(quantity)
        if row is None or not row.low <= count <= row.high:
            return False
        self.kept.alone.measure(self.now(moment)[0], quantity, count)
        return True

    def advance(self, moment: Moment) -> list[Effect]:
        """Time went on: watchdog, mandate, self-test, the next text."""
        kept = self.kept
        at, sure = self.now(moment)
        effects: list[Effect] = []
        if self.playing and moment.run - self.playing[1] > PLAY_MS:
            effects.append(Stop(self.playing[0]))
            limit = PLAY_MS // 1000
            cut = Text(f"超时切断：{limit} 秒", f"cut off after {limit} s")
            effects += self.finished(self.playing[0], False, cut, moment, again=False)
        for job in [j for j in kept.jobs if at >= j.expires_at and not self._sounds(j)]:
            effects += self._end(job, "failed", at, _EXPIRED, again=False)
        met = kept.alone.act(
            kept.trust, self.setup.id, self.setup.kind, at, moment.run - self.time.heard_run
        )
        if met is not None:
            for job in [j for j in kept.jobs if j.source == "mandate"]:
                effects += self._drop(job, at, Text("有更高指令", "there is a higher order"))
            kept.jobs.append(job_alone(met))
        hour = at // 3_600_000 % 24
        by_day = TEST_HOURS_UTC[0] <= hour < TEST_HOURS_UTC[1]
        if sure and not kept.tested_at:  # set up just now: the first test comes tomorrow
            kept.tested_at = at - TEST_EVERY_MS + 86_400_000
        if sure and by_day and at >= kept.tested_at + TEST_EVERY_MS and not kept.jobs:
            self._want_test(at)
        effects += self._next(at, moment)
        if moment.run - self._told_run >= standalone.TELL_EVERY_MS:
            effects += [PublishState(report) for report in kept.alone.reports]
            self._told_run = moment.run
        return effects

    def _sounds(self, job: Job) -> bool:
        return self.playing is not None and self.playing[0] == job.id

    def _next(self, at: int, moment: Moment) -> list[Effect]:
        """The most urgent text first; it interrupts a less urgent one, which begins anew later."""
        effects: list[Effect] = []
        while self.kept.jobs:
            job = max(self.kept.jobs, key=urgency)
            if self._sounds(job):
                return effects
            if self.playing is not None:
                now = next(j for j in self.kept.jobs if self._sounds(j))
                if urgency(job)[:2] <= urgency(now)[:2]:
                    return effects
                effects.append(Stop(now.id))
                now.tries, self.playing = now.tries - 1, None
            if job.tries >= TRIES:
                why = Text(f"中断 {TRIES} 次", f"cut off {TRIES} times")
                effects += self._end(job, "failed", at, why, again=True)
                continue
            job.tries += 1
            self.playing = (job.id, moment.run)
            if job.source == "command":
                self.kept.said[job.id].state = "playing"
                effects.append(self._ack(job.id, "playing", at))
            elif job.source == "mandate":
                effects += [PublishState(r) for r in self.kept.alone.reports if r.act == job.id]
            return [*effects, Play(job)]
        return effects

    def finished(
        self, job_id: str, sounded: bool, detail: Text, moment: Moment, *, again: bool = True
    ) -> list[Effect]:
        """The hands say how it went. sounded: a microphone or the line's current showed it."""
        if self.playing is not None and self.playing[0] == job_id:
            self.playing = None
        job = next((j for j in self.kept.jobs if j.id == job_id), None)
        if job is None:
            return []
        at, _ = self.now(moment)
        return self._end(job, "played" if sounded else "failed", at, detail, again=again)

    def _drop(self, job: Job, at: int, why: Text) -> list[Effect]:
        stop: list[Effect] = [Stop(job.id)] if self._sounds(job) else []
        if stop:
            self.playing = None
        return [*stop, *self._end(job, "failed", at, why, again=False)]

    def _end(
        self, job: Job, state: Literal["played", "failed"], at: int, detail: Text, *, again: bool
    ) -> list[Effect]:
        kept = self.kept
        kept.jobs.remove(job)
        if state == "played" and job.source != "self_test":
            kept.alone.loud(job.action, at)
        if job.source == "self_test":
            kept.tested_at, kept.tested_ok = at, state == "played"
            return []
        if job.source == "mandate":
            return [PublishState(kept.alone.ended(job.id, state, detail))]
        kept.said[job.id] = Said(
            state=state,
            expires_at=job.expires_at,
            detail=detail.zh,
            detail_en=detail.en,
            again=again and state == "failed",
        )
        return [self._ack(job.id, state, at, detail)]

    def _forget(self, at: int) -> None:
        """Ids and versions whose commands have long expired: they would be refused for that."""
        kept = self.kept
        kept.said = {i: s for i, s in kept.said.items() if at < s.expires_at + _KEPT_MS}
        kept.highest = {a: v for a, v in kept.highest.items() if at < v[1] + _KEPT_MS}

    def _ack(self, command: str, state: str, at: int, detail: Text = _NOTHING) -> NodeAck:
        return NodeAck(
            node=self.setup.id,
            id=command,
            state=state,  # type: ignore[arg-type]  # only known ones come here
            at=at,
            battery=self.battery,
            detail=detail.zh,
            detail_en=detail.en,
        )

    def status(self) -> dict[str, float]:
        """What the node knows of itself, by quantity; the hands add battery, mains, door, volume."""
        kept = self.kept
        found = {"key_set": kept.trust.keys.version, "refused_commands": self.refused.total()}
        if kept.tested_ok is not None:
            found["self_test"] = int(kept.tested_ok)
        return {name: float(value) for name, value in found.items()}
