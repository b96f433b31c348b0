"""The pace and the health of one carrier: a token bucket and a circuit breaker. Pure: `now` is any
clock in seconds that never goes back.

Tokens are messages (an SMS of three segments is three). A message may start when one token is
there, and takes all it costs, so a long one borrows and the next waits: over any time T no more
than `rate × T + burst + one message` go out.

The breaker: after `fails` failures of the way in a row (not of a message) it is open for `cool_s`;
then one attempt is let through (half open): its success closes the breaker, its failure opens it
again. A probe that fails opens it at once, one that succeeds closes it.
"""

from typing import Literal

Health = Literal["up", "trial", "down"]
_BUSY_S, _BUSY_MOST_S = 1.0, 30.0
_DUST = 1e-9  # of a token: what rounding leaves is not waited for


class Lane:
    """rate_per_s: 0 for no limit. burst: tokens that may gather while nothing is sent."""

    def __init__(
        self, rate_per_s: float = 0.0, burst: float = 1.0, fails: int = 5, cool_s: float = 30.0
    ) -> None:
        self._rate, self._burst = rate_per_s, max(1.0, burst)
        self._fails, self._cool_s = fails, cool_s
        self._tokens, self._at = self._burst, 0.0
        self._failed = 0
        self._open_until: float | None = None
        self._trying = False
        self._busy_s, self._busy_until = 0.0, 0.0

    def health(self, now: float) -> Health:
        """`trial`: it was down, and one attempt may see whether it still is."""
        if self._open_until is None:
            return "up"
        return "trial" if now >= self._open_until and not self._trying else "down"

    def wait_s(self, now: float) -> float:
        """How long until a message may start, if the way is open."""
        pause = max(0.0, self._busy_until - now)
        self._fill(now)
        if self._rate and self._tokens < 1.0 - _DUST:
            pause = max(pause, (1.0 - self._tokens) / self._rate)
        return pause

    def begin(self, now: float, cost: int = 1) -> None:
        """A message starts."""
        self._fill(now)
        if self._rate:
            self._tokens -= cost
        if self._open_until is not None:
            self._trying = True

    def succeeded(self) -> None:
        """The carrier took something, refused this one message, or answered a probe."""
        self._failed, self._open_until, self._trying = 0, None, False
        self._busy_s = 0.0

    def failed(self, now: float, *, probe: bool = False) -> None:
        """The way failed."""
        self._failed += 1
        if probe or self._open_until is not None or self._failed >= self._fails:
            self._open_until, self._trying = now + self._cool_s, False

    def unused(self, cost: int = 1) -> None:
        """What began did not go out, and says nothing of the way."""
        if self._rate:
            self._tokens = min(self._burst, self._tokens + cost)
        self._trying = False

    def busy(self, now: float, cost: int = 1, wait_s: float = 0.0) -> None:
        """The carrier took nothing and wants us slower: wait, twice as long each time. Attempts that
        were under way together hear one word, not several."""
        if self._rate:
            self._tokens = min(self._burst, self._tokens + cost)
        if self._open_until is not None:
            self._open_until, self._trying = None, False  # it speaks
        if now < self._busy_until:
            return
        self._busy_s = min(max(wait_s, 2 * self._busy_s, _BUSY_S), _BUSY_MOST_S)
        self._busy_until = now + self._busy_s

    def _fill(self, now: float) -> None:
        if self._rate and now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = max(self._at, now)
