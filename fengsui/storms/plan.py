"""What a storm is: its weather, its people and its faults, all drawn from one seed.

A plan is data. Whoever takes faults out of it, or makes it shorter, has another storm of the same
weather and people: that is how a failing one is made small.
"""

import random
from typing import NamedTuple

from config.language import Text

STEP_MS = 60_000
RUNNERS = ("detect", "decide", "address", "send")
STAGES = ("ingest", *RUNNERS, "ledger-alerts", "ledger-deliveries")
GAUGES = {"R01": "V01", "R02": "V01", "R03": "V02", "R04": "V02"}
STATIONS = (*GAUGES, "S01")
NODES = ("N01", "N02")
CARRIERS = ("sms-1", "sms-2", "app-1")
OFFICERS = ("O-01", "O-02", "O-03")
LONGEST = 150  # steps


class Kind(NamedTuple):
    """A kind of fault: in words, whom it may strike, and for how many steps at most. deep: it strikes at
    a boundary between two acts of I/O, counted from its step on; else at the step itself."""

    words: Text
    whom: tuple[str, ...] = ("",)
    most: int = 1
    deep: bool = False
    weight: int = 2


KINDS: dict[str, Kind] = {
    "crash": Kind(
        Text("进程死亡，随后重启", "a process dies and is started again"), STAGES, 4, True, 6
    ),
    "power": Kind(
        Text("断电：未落盘的都没了", "the power goes, and what was not synced"), ("",), 4, True, 3
    ),
    "refuse": Kind(
        Text("日志拒写，什么也没写", "the log refuses, and has written nothing"), STAGES, 1, True, 3
    ),
    "unsure": Kind(
        Text("日志写了却报失败", "the log has written and says that it failed"), STAGES, 1, True, 3
    ),
    "full": Kind(Text("磁盘满", "the disk is full"), ("",), 4),
    "torn": Kind(Text("快照只写了一半", "snapshots come to the disk half"), ("",), 12),
    "freeze": Kind(
        Text(
            "进程停住，别的成员接管，它又醒来",
            "it stands still, another takes over, it wakes",
        ),
        (*RUNNERS, "ledger-alerts", "ledger-deliveries"),
        9,
        weight=3,
    ),
    "unplug": Kind(Text("与消息服务器断开", "cut off from the broker"), ("ingest", "send"), 8),
    "forget": Kind(
        Text(
            "消息服务器重启，忘掉未送的",
            "the broker restarts and forgets what it had not handed over",
        ),
        ("",),
    ),
    "twice": Kind(Text("消息重复送达", "messages come twice"), ("ingest", "send"), 10),
    "shuffle": Kind(Text("消息乱序", "messages come in another order"), ("ingest", "send"), 10),
    "backlog": Kind(
        Text("测站断网，补传", "a station is cut off and sends all later"), STATIONS, 12, weight=3
    ),
    "dead": Kind(Text("测站停报", "a station is silent"), STATIONS, 40, weight=3),
    "tower": Kind(
        Text("基站断，喇叭听不到", "a tower is dead, a loudspeaker hears nothing"), NODES, 25
    ),
    "down": Kind(Text("运营商中断", "a carrier is down"), ("", *CARRIERS), 20),
    "reboot": Kind(Text("喇叭断电重启", "a loudspeaker's power goes and comes"), NODES),
    "lost": Kind(
        Text("运营商收了却报超时", "a carrier takes it and says that it did not"), CARRIERS, 6
    ),
    "lies": Kind(Text("运营商收了不送", "a carrier accepts and never delivers"), CARRIERS, 20),
    "mixed": Kind(Text("回执张冠李戴", "a carrier's receipts are of other messages"), CARRIERS, 10),
    "late": Kind(Text("回执迟到", "a carrier's receipts come late"), CARRIERS, 20),
    "clock": Kind(Text("系统时钟跳变", "the machine's clock jumps"), ("ahead", "back"), 20),
    "slow": Kind(Text("审批人迟迟不应", "whoever approves is slow"), OFFICERS, 20, weight=3),
    "both": Kind(Text("两人同时审批", "two persons approve at once"), ("",), 30),
    "config": Kind(Text("风暴中改配置", "the configuration changes in the storm"), ("",)),
    "upgrade": Kind(
        Text("风暴中升级，又退回", "the program is upgraded in the storm, and goes back"), ("",), 40
    ),
    "drill": Kind(
        Text("演练的记录误入实况", "records of a drill come into the live line"),
        ("cases", "alerts", "deliveries", "node", "carrier"),
    ),
}


class Fault(NamedTuple):
    """One fault: at which step, of which kind, whom, at which boundary from there on, for how many
    steps."""

    step: int
    kind: str
    who: str = ""
    nth: int = 1
    steps: int = 1

    def now(self, step: int) -> bool:
        """Does it last at this step?"""
        return self.step <= step < self.step + self.steps

    def __str__(self) -> str:
        who = f" {self.who}" if self.who else ""
        at = f" #{self.nth}" if KINDS[self.kind].deep else ""
        return f"{self.step:3d} {self.kind}{who}{at}" + (
            f" x{self.steps}" if self.steps > 1 else ""
        )


class Burst(NamedTuple):
    """Rain over a village: mm in each step from `step` on."""

    area: str
    step: int
    steps: int
    mm: float


class Storm(NamedTuple):
    """One plan. steps: minutes. sync_late: a commit takes effect when it is waited for. habits: officer ->
    after so many steps he does what he does."""

    seed: int
    steps: int
    bursts: tuple[Burst, ...]
    habits: dict[str, tuple[int, str]]
    sync_late: bool
    faults: tuple[Fault, ...]


def draw(seed: int) -> Storm:
    """The storm of a seed."""
    rng = random.Random(seed)  # noqa: S311  # a simulation
    bursts = []
    for area in ("V01", "V02"):
        if rng.random() < 0.8:
            mm = rng.choice((0.7, 1.1, 1.6, 2.4, 3.0))
            bursts.append(Burst(area, rng.randrange(1, 6), rng.randrange(6, 16), mm))
            if rng.random() < 0.15:
                again = bursts[-1].step + bursts[-1].steps + rng.randrange(15, 35)
                bursts.append(Burst(area, again, rng.randrange(6, 14), rng.choice((1.1, 2.4))))
    last = max((b.step + b.steps for b in bursts), default=8)
    steps = min(LONGEST, last + rng.choice((4, 6, 8, 12, 25, 50)))
    acts = ("release", "release", "release", "approve", "reject", "hold", "raise", "nothing")
    habits = {o: (rng.choice((1, 2, 3, 6)), rng.choice(acts)) for o in OFFICERS}
    names = [k for k, kind in KINDS.items() for _ in range(kind.weight)]
    faults = [_fault(rng, rng.choice(names), steps) for _ in range(rng.choice((0, 2, 4, 6, 8)))]
    return Storm(seed, steps, tuple(bursts), habits, rng.random() < 0.5, tuple(sorted(faults)))


def _fault(rng: random.Random, name: str, steps: int) -> Fault:
    kind = KINDS[name]
    step, who = rng.randrange(steps), rng.choice(kind.whom)
    deep = (
        24 if who == "send" else 8
    )  # a turn of send has more boundaries than others: its attempts
    nth = rng.randrange(1, deep) if kind.deep else 1
    return Fault(step, name, who, nth, rng.randrange(1, kind.most + 1))
