"""What every desk of the duty room has: the picture, its users, the log, who asks; and how an act is
taken: from who may, at most so often, once for each key of a page."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, NoReturn, Protocol, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text
from console.auth.accounts import ACTS_OF, User, Users
from console.auth.requests import Once, Rate, Refused, read_body, to_json
from console.pages.feed import Feed
from stream.log.port import Log

Key = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class Keyed(Protocol):
    """What a page asks for. key: its own, so that the same press sent twice is one act."""

    @property
    def key(self) -> str: ...


_K = TypeVar("_K", bound=Keyed)


class Tools(NamedTuple):
    """user, sure: who asks, and who asks for a change from their own page
    (console/auth/entrance.py); both raise Refused."""

    feed: Feed
    users: Users
    open_log: Callable[[], Log]
    user: Callable[[Request], User]
    sure: Callable[[Request], User]


class Desk(ABC):
    """a_minute: so many acts of one user."""

    def __init__(self, tools: Tools, a_minute: int) -> None:
        self._feed, self._users, self._open_log, self._user, self._sure = tools
        self._once, self._rate = Once(), Rate(a_minute)

    @abstractmethod
    def routes(self) -> list[Route]:
        """What it answers."""

    def _acting(self, request: Request) -> User:
        """Who asks for a change, not too often. Raises Refused."""
        user = self._sure(request)
        self._rate.take(user.name)
        return user

    async def _take(
        self,
        request: Request,
        who: Callable[[Request], User],
        kind: type[_K],
        act: Callable[[User, _K], Any],
    ) -> Response:
        """What `act` made of a request of `who` may ask for it."""
        user = await run_in_threadpool(who, request)
        asked = await read_body(request, kind)
        return await run_in_threadpool(
            lambda: to_json(
                self._once.do(f"{user.name}|{asked.key}", asked, lambda: act(user, asked))
            )
        )

    def _refuse(self, user: User, what: str, detail: str, words: Text) -> NoReturn:
        """Say no, and put it on record. Raises Refused (403)."""
        self._users.note(self._feed.at(), user.name, what, detail)
        raise Refused(403, words)

    @staticmethod
    def _decides(user: User) -> bool:
        """Whether this user may act upon warnings at all."""
        return bool(ACTS_OF[user.role] and user.officer)
