"""How likely it is, in the fixed words of the joint notices of Beijing's offices, blue to red. Pure.

Of mountain floods (市水务局、市气象局 together): 可能, 可能性较大, 可能性大, 可能性很大; of debris flows
(地质灾害气象风险, 规划自然资源 and 气象 together): 有一定风险, 风险较高, 风险高, 风险很高. Other hazards
are worded like floods. What was measured or seen itself is not likely, it is there: the row `seen` of the
hazard says so.
"""

from config.records.level import Level
from dispatch.records import Alert
from dispatch.words.evidence import LIKELY, foreseen, is_fact

SLOPES = frozenset({"debris_flow"})
# of a colour; {} is what may happen. A warning without a colour is worded as a blue one
POSSIBLE_ZH = {
    Level.BLUE: "可能{}",
    Level.YELLOW: "{}可能性较大",
    Level.ORANGE: "{}可能性大",
    Level.RED: "{}可能性很大",
}
RISK_ZH = {
    Level.BLUE: "{}有一定风险",
    Level.YELLOW: "{}风险较高",
    Level.ORANGE: "{}风险高",
    Level.RED: "{}风险很高",
}
POSSIBLE_EN = {
    Level.BLUE: "{} possible",
    Level.YELLOW: "{} likely",
    Level.ORANGE: "{} very likely",
    Level.RED: "{} almost certain",
}
RISK_EN = {
    Level.BLUE: "Some risk of {}",
    Level.YELLOW: "Fairly high risk of {}",
    Level.ORANGE: "High risk of {}",
    Level.RED: "Very high risk of {}",
}


def likelihood(hazard: str, event: str, level: Level, lang: str) -> str:
    """`event` (发生山洪, Flash flood) with the words of a colour."""
    slopes = hazard in SLOPES
    if lang == "zh":
        table = RISK_ZH if slopes else POSSIBLE_ZH
    else:
        table = RISK_EN if slopes else POSSIBLE_EN
        event = event[:1].lower() + event[1:] if slopes else event
    return table[max(level, Level.BLUE)].format(event)


def risk(a: Alert, event: str, level: Level, lang: str) -> str:
    """By the level; of a forecast alone by its chance, as CAP's certainty: above one half the words of
    yellow, else those of blue, whatever its level."""
    if is_fact(a):  # somebody told it: it is not likely, it is so
        return f"接报{event}" if lang == "zh" else f"Reported: {event[0].lower()}{event[1:]}"
    chance = foreseen(a)
    if chance is not None and lang == "en" and a.hazard not in SLOPES:
        return f"{event} {'likely' if chance > LIKELY else 'possible'}"
    if chance is not None:
        level = Level.YELLOW if chance > LIKELY else Level.BLUE
    return likelihood(a.hazard, event, level, lang)
