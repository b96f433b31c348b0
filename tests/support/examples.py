"""With how many examples a property is tried, in one place: the profiles of Hypothesis.

quick: what `make test` takes, a quarter. ci: all of them, which `make test-all` takes, and whoever sets
CI. thorough: ten times as many, and others at each run. `pytest --hypothesis-profile=thorough` chooses.
"""

import zlib
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import seed, settings

Test = TypeVar("Test", bound=Callable[..., Any])
FEW = 10  # that many are tried whatever the profile

settings.register_profile("ci", max_examples=100, derandomize=True, deadline=None, print_blob=True)
settings.register_profile("quick", settings.get_profile("ci"), max_examples=25)
settings.register_profile(
    "thorough", settings.get_profile("ci"), max_examples=1000, derandomize=False
)
# what the command line chose stands; where CI is set, Hypothesis has chosen a "ci" of its own, of which
# ours takes the place
_CHOSEN = settings.get_current_profile_name()
settings.load_profile("quick" if _CHOSEN == "default" else _CHOSEN)


def tried(count: int, **more: Any) -> settings:
    """Settings of so many examples; the profile takes its share of them."""
    share = settings().max_examples / 100
    return settings(max_examples=max(min(count, FEW), round(count * share)), **more)


def examples(count: int = 100, **more: Any) -> Callable[[Test], Test]:
    """Decorates a property with `tried`. Its examples hang on its name alone: they stay what they are when
    it moves to another file, or a class in its signature does."""

    def decorate(test: Test) -> Test:
        found: Test = tried(count, **more)(test)
        if settings().derandomize:
            found = seed(zlib.crc32(test.__qualname__.encode()))(found)
        return found

    return decorate
