"""What must be true of the TOML files."""

import re
from collections.abc import Callable
from functools import cache
from typing import get_args
from zoneinfo import available_timezones

import msgspec

from config.checks.proving import proving_faults
from config.checks.tables import ACTIONS, LEVELS, QUIET, RULES
from config.language import Said, Text
from config.read.problem import Problem, out_of_range, problem
from config.records.authority import Authority, Policy
from config.records.channels import Channels
from config.records.district import Contact
from config.records.door import Door
from config.records.level import HAZARD_ZH
from config.records.quantity import OF_PEOPLE
from config.records.rules import ObserverRule, Rules

ROLES = get_args(Contact.__annotations__["role"])
TOPICS = ("observations", "dead-letters", "cases", "alerts", "deliveries", "ledger")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """district.toml."""

    name: str
    name_en: str
    division: str
    issuer: str
    issuer_en: str
    signature: str
    sender: str
    hotline: str
    timezone: str = "Asia/Shanghai"
    broker: str = ""
    log: str = ""
    history: str = ""
    partitions: int = 4
    retention_days: dict[str, int] = {}
    console: Door = Door()
    sparkplug_host: str = ""
    issuer_short_en: str = ""


_QUALITY = {  # lowest and highest that can be meant
    "stage_rate_m_per_min": (0.001, 100),
    "stage_spike_m": (0.001, 100),
    "stage_flat_min": (10, 100_000),
    "stage_step_m": (0.05, 100),
    "stage_fall_m_per_min": (0.001, 100),
    "stage_move_m": (0.01, 10),
    "stage_calm_h": (1, 240),
    "stage_wet_mm": (0, 100),
    "rain_extreme_mm_10min": (1, 500),
    "rain_neighbour_share": (0, 1),
    "neighbour_km": (0, 200),
    "clog_near_mm": (1, 500),
    "clog_share": (0, 0.9),
    "undercatch_near_mm": (1, 500),
    "undercatch_share": (0, 0.9),
    "undercatch_much": (0, 0.9),
    "undercatch_ends": (0, 1),
    "fill_near_mm": (1, 500),
}


@cache
def _zones() -> set[str]:
    """Every time zone of this machine: hundreds of files, asked for once."""
    return available_timezones()


def check_head(head: Head, name: str, problems: list[Problem]) -> None:
    """district.toml, and the folder's name, which is a level of MQTT topics."""
    file = "district.toml"
    if not re.fullmatch(r"[A-Za-z0-9-]{1,32}", name):
        problems.append(
            problem(
                file,
                0,
                "",
                Text(f"目录名 {name!r} 不能作代号", f"the folder's name {name!r} cannot be an id"),
                Text("字母、数字、-（1–32）", "letters, digits, hyphens"),
            )
        )
    if not re.fullmatch(r"\d{6}", head.division):
        problems.append(
            problem(file, 0, "division", Text("不是 6 位区划代码", "is not a 6-digit code"))
        )
    if head.sparkplug_host and not re.fullmatch(r"[A-Za-z0-9._-]{1,32}", head.sparkplug_host):
        words = Text(
            f"{head.sparkplug_host!r} 不能作主机名", f"{head.sparkplug_host!r} is no id of a host"
        )
        hint = Text("字母、数字、. _ -（1–32）", "letters, digits, . _ -, 1 to 32")
        problems.append(problem(file, 0, "sparkplug_host", words, hint))
    if not 1 <= head.partitions <= 256:
        problems.append(problem(file, 0, "partitions", Text("越界", "is out of range"), "1 … 256"))
    for topic, days in head.retention_days.items():
        if topic not in TOPICS or not 2 <= days <= 36_500:
            wrong = f"retention_days.{topic} = {days}"
            problems.append(
                problem(
                    file,
                    0,
                    "retention_days",
                    Text(f"{wrong} 不能用", f"{wrong} cannot be"),
                    f"{', '.join(TOPICS)}: 2 …",
                )
            )
    if head.timezone not in _zones():
        problems.append(
            problem(
                file,
                0,
                "timezone",
                Text(f"{head.timezone!r} 不是时区", f"{head.timezone!r} is no time zone"),
                "Asia/Shanghai",
            )
        )
    for key, low, high in (("password_days", 0, 3660), ("session_h", 1, 168)):
        if not low <= (value := getattr(head.console, key)) <= high:
            words = out_of_range(value)
            problems.append(problem(file, 0, f"console.{key}", words, f"{low} … {high}"))
    for key in ("name", "name_en", "issuer", "issuer_en", "signature", "sender", "hotline"):
        if not getattr(head, key).strip():
            problems.append(
                problem(
                    file, 0, key, Text("不能为空", "must not be empty"), Text("填写", "fill it in")
                )
            )


def check_channels(channels: Channels, problems: list[Problem]) -> None:
    """channels.toml."""
    ranges = {
        "attempt_timeout_s": (channels.attempt_timeout_s, 1, 120),
        "played_within_s": (channels.played_within_s, 1, 3600),
        "answer_within_s": (channels.answer_within_s, 1, 3600),
        "call_within_s": (channels.call_within_s, 1, 3600),
        "probe_every_s": (channels.probe_every_s, 10, 3600),
        "cap_feed_port": (channels.cap_feed_port, 0, 65_535),
        "residents_sms_day": (channels.residents_sms_day, 1, 10_000_000),
    }
    for name in ("retry_s", "voice_retry_s"):
        for wait_s in getattr(channels, name) or (-1,):
            ranges[name] = max(
                (wait_s, 0, 3600),
                ranges.get(name, (wait_s, 0, 3600)),
                key=lambda x: not x[1] <= x[0] <= x[2],
            )
    _within("channels.toml", ranges, problems)
    for key in ("people_listen", "residents_listen"):
        listen = getattr(channels, key)
        if listen and not re.fullmatch(r"[^\s:/]+:\d{1,5}", listen):
            problems.append(problem("channels.toml", 0, key, f"{listen!r}?", '"127.0.0.1:8087"'))
    url = channels.residents_url
    if url and not re.fullmatch(r"https?://[^\s?#]+", url):
        hint = '"https://warn.example"'
        problems.append(problem("channels.toml", 0, "residents_url", f"{url!r}?", hint))


def _within(
    file: str,
    ranges: dict[str, tuple[float, float, float]] | dict[str, tuple[int, int, int]],
    problems: list[Problem],
) -> None:
    for place, (value, low, high) in ranges.items():
        if not low <= value <= high:
            problems.append(problem(file, 0, place, out_of_range(value), f"{low} … {high}"))


def check_rules(rules: Rules, problems: list[Problem]) -> None:
    for name in rules.run:
        if name not in RULES:
            problems.append(
                problem(
                    "rules.toml",
                    0,
                    "run",
                    Text(f"没有规则 {name!r}", f"{name!r} is no rule"),
                    ", ".join(RULES),
                )
            )
    if not rules.run:
        problems.append(
            problem("rules.toml", 0, "run", Text("没有规则", "no rule runs"), ", ".join(RULES))
        )
    if rules.camera.hazard not in HAZARD_ZH:
        problems.append(
            problem(
                "rules.toml",
                0,
                "camera.hazard",
                Text("不是灾种", "is no hazard"),
                ", ".join(HAZARD_ZH),
            )
        )
    _check_observer(rules.observer, problems)
    ranges = {
        "observer.valid_min": (rules.observer.valid_min, 5, 360),
        "lateness_s": (rules.lateness_s, 60, 7200),
        "rain.hold_min": (rules.rain.hold_min, 0, 1440),
        "rain.clear_factor": (rules.rain.clear_factor, 0.1, 1.0),
        "rain.event_gap_min": (rules.rain.event_gap_min, 30, 1440),
        "rain.antecedent_decay": (rules.rain.antecedent_decay, 0.0, 1.0),
        "rain.antecedent_days": (rules.rain.antecedent_days, 1, 30),
        "rain.dry_below_mm": (rules.rain.dry_below_mm, 0, rules.rain.wet_above_mm),
        "stage.hold_min": (rules.stage.hold_min, 0, 1440),
        "stage.clear_margin_m": (rules.stage.clear_margin_m, 0, 10),
        "stage.window_min": (rules.stage.window_min, 5, 360),
        "stage.min_points": (rules.stage.min_points, 2, 60),
        "camera.moving_share": (rules.camera.moving_share, 0.01, 1),
        "camera.frames": (rules.camera.frames, 1, 10),
        "rain.wet_above_mm": (rules.rain.wet_above_mm, 0, 1000),
        "camera.hold_min": (rules.camera.hold_min, 0, 1440),
        "camera.frozen_frames": (rules.camera.frozen_frames, 1, 100),
        "camera.dark_below": (rules.camera.dark_below, 0, 255),
        "camera.blurred_below": (rules.camera.blurred_below, 0, 100_000),
        "camera.fogged_below": (rules.camera.fogged_below, 0, 255),
        "camera.moved_share": (rules.camera.moved_share, 0.005, 0.25),
        "camera.blind_frames": (rules.camera.blind_frames, 1, 100),
        "camera.see_frames": (rules.camera.see_frames, 1, 100),
        "camera.pair_s": (rules.camera.pair_s, 0.02, 60),
        "camera.usual_h": (rules.camera.usual_h, 1, 72),
        "silence.grace_s": (rules.silence.grace_s, 0, 86_400),
        "silence.min_live_share": (rules.silence.min_live_share, 0, 1),
    }
    ranges |= {f"quality.{k}": (getattr(rules.quality, k), *x) for k, x in _QUALITY.items()}
    for place, (value, low, high) in ranges.items():
        if not low <= value <= high:
            problems.append(problem("rules.toml", 0, place, out_of_range(value), f"{low} … {high}"))


def _check_observer(rule: ObserverRule, problems: list[Problem]) -> None:
    for report, hazards in rule.hazards.items():
        for name, known in ((report, OF_PEOPLE), *((h, tuple(HAZARD_ZH)) for h in hazards)):
            if name not in known:
                place = f"observer.hazards.{report}"
                problems.append(
                    problem(
                        "rules.toml",
                        0,
                        place,
                        Text(f"没有 {name!r}", f"there is no {name!r}"),
                        ", ".join(known),
                    )
                )
    for role in rule.trusted:
        if role not in ROLES:
            problems.append(
                problem("rules.toml", 0, "observer.trusted", f"{role!r}?", ", ".join(ROLES))
            )


def _check_authority(place: str, what: str, who: Authority, wrong: Callable[..., None]) -> None:
    if what not in (*LEVELS, *ACTIONS):
        wrong(
            place,
            Text("不是等级或行动", "is no level or action"),
        )
    if not who.by:
        wrong(
            f"{place}.by",
            Text("没有机构", "no office"),
            '["district"]',
        )
    waits = [who.deadline_s, *(step.within_s for step in who.chain)]
    if not all(0 <= s <= 86_400 for s in waits) or 0 in waits[1:]:
        wrong(
            place,
            Text("期限越界", "a deadline is out of range"),
            "1 … 86400",
        )
    if who.default == "repeat" and who.deadline_s == 0 and not who.chain:
        wrong(
            f"{place}.default",
            Text("立即发布的不用再问", "what goes out at once is not asked again"),
            "deadline_s",
        )


def check_policy(policy: Policy, problems: list[Problem]) -> None:
    def wrong(place: str, message: Said, hint: Said = "") -> None:
        problems.append(problem("policy.toml", 0, place, message, hint))

    fallback = policy.authority.get("*", {})
    for what in (*LEVELS, *ACTIONS):
        if what not in fallback:
            wrong(
                f"authority.*.{what}",
                Text("没有发布权限", "nobody may release it"),
                Text("写明由谁发布", "say who may"),
            )
    for hazard, table in policy.authority.items():
        if hazard != "*" and hazard not in HAZARD_ZH:
            wrong(f"authority.{hazard}", Text("不是灾种", "is not a hazard"))
        for what, who in table.items():
            _check_authority(f"authority.{hazard}.{what}", what, who, wrong)
    if policy.night and not QUIET.fullmatch(policy.night):
        words = Text(f"{policy.night!r} 不是时段", f"{policy.night!r} is no span of hours")
        wrong("night", words, '"22:00-06:00"')
    week = 7 * 86_400
    for name, low, high in (
        ("step_down_hold_s", 1, week),
        ("valid_s", 1, week),
        ("gather_s", 0, 600),
        ("night_round_s", 0, 1800),
        ("night_round_places", 2, 1000),
        ("incident_gap_s", 1, week),
        ("report_every_s", 1, week),
    ):
        if not low <= getattr(policy, name) <= high:
            hint = f"{low} … {high}"
            wrong(name, Text("越界", "is out of range"), hint)
    for name, least, most in (
        ("lead_min", 0, 360),
        ("least_share", 0.0, 1.0),
        ("most_never", 0.0, 1.0),
        ("most_false", 0.0, 1.0),
        ("move_cost", 0.01, 1000),
        ("prepare_cost", 0.01, 1000),
    ):
        if not least <= getattr(policy.orders, name) <= most:
            wrong(f"orders.{name}", Text("越界", "is out of range"), f"{least} … {most}")
    for key, why, write in proving_faults(policy.proving):
        wrong(f"proving.{key}", why, write)
