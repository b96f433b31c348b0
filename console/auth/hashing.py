"""Passwords as they are kept: argon2id, and never more than two at work.

A hash takes 64 MiB and a tenth of a second of one core on purpose. So it holds no lock, stands in no
queue with what pages ask for, and strangers have one place of their own: however many of them guess,
whoever enters from a browser that is known waits for none of them.
"""

import asyncio
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from config.language import Text
from console.auth.requests import Refused

_T = TypeVar("_T")
_WAITING = 40  # at the strangers' place: about five seconds; more are sent away at once
# RFC 9106, section 4, second choice (64 MiB, three passes), in one lane: one hash, one core
_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)


def _of_nobody(like: PasswordHasher) -> str:
    """A kept password that none fits and that takes as long to look at; made without hashing."""
    salt, tag = (
        b64encode(secrets.token_bytes(n)).rstrip(b"=").decode()
        for n in (like.salt_len, like.hash_len)
    )
    costs = f"m={like.memory_cost},t={like.time_cost},p={like.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${tag}"


_nobody = _of_nobody(_hasher)


def hashed(password: str) -> str:
    """What is kept of it."""
    return _hasher.hash(_bytes(password))


def fits(kept: str, password: str) -> bool:
    """Is that the password? "" for kept: nobody's; it takes as long."""
    try:
        return _hasher.verify(kept or _nobody, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Was it hashed with other costs than these?"""
    return _hasher.check_needs_rehash(kept)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "replace")


class Desks:
    """Where passwords are looked at: one place for strangers, one for who is known."""

    def __init__(self) -> None:
        self._strangers = ThreadPoolExecutor(1, thread_name_prefix="console-hash-strangers")
        self._known = ThreadPoolExecutor(1, thread_name_prefix="console-hash")
        self._waiting, self._lock = 0, threading.Lock()

    async def known(self, work: Callable[[], _T]) -> _T:
        """For a browser that this user has entered from, and for whoever has entered."""
        return await asyncio.get_running_loop().run_in_executor(self._known, work)

    async def stranger(self, work: Callable[[], _T]) -> _T:
        """For everybody else. Raises Refused (503) when too many wait."""
        with self._lock:
            if self._waiting >= _WAITING:
                raise Refused(
                    503,
                    Text("登录的人太多，请几秒后再试", "too many log in: again in a few seconds"),
                )
            self._waiting += 1

        work_to_come = self._strangers.submit(work)
        work_to_come.add_done_callback(self._done)
        return await asyncio.wrap_future(work_to_come)

    def _done(self, _work: object) -> None:
        with self._lock:
            self._waiting -= 1

    def close(self) -> None:
        for place in (self._strangers, self._known):
            place.shutdown(wait=True, cancel_futures=True)
