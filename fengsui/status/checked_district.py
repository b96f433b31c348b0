"""A district's folder as whoever starts a stage must find it: its tables fit together, and its rules,
channels and words can be made."""

from pathlib import Path

from config.load import ConfigError, load, read
from config.proof import Proof, standing
from config.read.problem import Problem
from config.records.district import District
from detectors.setup.declared import problems as rule_problems
from dispatch.channels.declared import problems as channel_problems
from dispatch.words.check import word_problems
from fengsui.review.targets import read_plan


def load_district(folder: Path) -> District:
    """The checked district, with rules that can be. Raises ConfigError."""
    district = load(folder)
    if found := wrong(district):
        raise ConfigError(folder, found)
    return district


def wrong(district: District) -> list[Problem]:
    """What its rules, channels and words ask for and cannot have; its tables fit together."""
    return [*rule_problems(district), *channel_problems(district), *word_problems(district)]


def judged(folder: Path) -> tuple[District | None, list[Problem], Proof | None]:
    """The district, where it can be read, all that is wrong with its folder, and who answers for its
    thresholds."""
    district, problems = read(folder)
    proof = None
    try:
        read_plan(None, folder)
    except ConfigError as e:
        problems += e.problems
    if district is not None:
        proof, _, unproved = standing(folder, district)
        problems += [*rule_problems(district), *channel_problems(district), *unproved]
        problems += word_problems(district)
    return district, problems, proof
