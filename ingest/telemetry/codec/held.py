"""Bytes of a stream that wait for more, and what of them has been told as broken: the part of a finder of
frames that is the same whatever the protocol."""

from typing import Generic, TypeVar

from ingest.telemetry.codec.said import Broken, Fault

F = TypeVar("F")  # a whole frame


class Held(Generic[F]):
    """What it holds back is never more than one frame and a piece."""

    def __init__(self) -> None:
        self._held = b""
        self._blamed = 0  # so many of the held bytes stand in what has been told as broken

    @property
    def waits(self) -> int:
        """Bytes that are held, of a frame that has not come whole."""
        return len(self._held)

    def _hold(self, buffer: bytes, at: int) -> None:
        """From here on it waits for more."""
        self._held = buffer[at:]
        self._blamed = max(0, self._blamed - at)

    def _tell(self, found: list[F | Broken], at: int, claimed: bytes, fault: Fault) -> None:
        """A wrong frame, once: what the search meets within it is a part of it."""
        if at >= self._blamed:
            found.append(Broken(claimed, fault))
            self._blamed = at + len(claimed)

    def _noise(self, found: list[F | Broken], buffer: bytes, at: int, start: int) -> None:
        begin = max(at, self._blamed)
        if begin < start:
            lost = buffer[begin:start]
            words = f"{len(lost)} 字节不属于任何帧", f"{len(lost)} bytes belong to no frame"
            found.append(Broken(lost, Fault(0, "noise", *words)))
            self._blamed = start
