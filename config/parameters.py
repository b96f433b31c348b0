"""What must be true of rules.toml and policy.toml."""

from config.district import Policy, Rules
from config.level import HAZARD_ZH
from config.table import Problem
from config.validate import ACTIONS, LEVELS, RULES, problem


def check_rules(rules: Rules, problems: list[Problem]) -> None:
    for name in rules.run:
        if name not in RULES:
            problems.append(
                problem("rules.toml", 0, "run", f"没有规则 {name!r} is no rule", ", ".join(RULES))
            )
    ranges = {
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
        "silence.min_live_share": (rules.silence.min_live_share, 0, 1),
    }
    for place, (value, low, high) in ranges.items():
        if not low <= value <= high:
            problems.append(
                problem("rules.toml", 0, place, f"{value} 越界 is out of range", f"{low} … {high}")
            )


def check_policy(policy: Policy, problems: list[Problem]) -> None:
    fallback = policy.authority.get("*", {})
    for what in (*LEVELS, *ACTIONS):
        if what not in fallback:
            problems.append(
                problem(
                    "policy.toml",
                    0,
                    f"authority.*.{what}",
                    "没有发布权限 nobody may release it",
                    "写明由谁发布 say who may",
                )
            )
    for hazard, table in policy.authority.items():
        if hazard != "*" and hazard not in HAZARD_ZH:
            problems.append(
                problem("policy.toml", 0, f"authority.{hazard}", "不是灾种 is not a hazard")
            )
        for what, who in table.items():
            if what not in (*LEVELS, *ACTIONS):
                problems.append(
                    problem(
                        "policy.toml",
                        0,
                        f"authority.{hazard}.{what}",
                        "不是等级或行动 is no level or action",
                    )
                )
            if who.deadline_s < 0 or (who.default == "escalate" and not who.escalate_to):
                problems.append(
                    problem(
                        "policy.toml",
                        0,
                        f"authority.{hazard}.{what}",
                        "期限为负或缺 escalate_to",
                        "escalate needs escalate_to; deadline_s >= 0",
                    )
                )
    for name in ("step_down_hold_s", "valid_s", "incident_gap_s", "report_every_s"):
        if not 0 < getattr(policy, name) <= 7 * 86_400:
            problems.append(problem("policy.toml", 0, name, "越界 is out of range", "1 … 604800"))
