"""Pictures of an RTSP stream (RFC 2326, by TCP), through PyAV: the extra `camera-rtsp`.

A stream is read as fast as it comes, for one that nobody reads stalls and then gives old pictures. What is
no key frame is thrown away unread, where key frames come as often as pictures are due: a key frame is
decoded alone, at a small part of what the whole stream costs. Where they come more seldom every frame is
decoded. A picture each minute or slower is a connection of its own: no line is held for it, and no camera's
session.

FFmpeg's own words hold the address with its password: none of them is passed on.
"""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from PIL import Image

from config.language import Text
from config.records.district import CameraSource
from ingest.camera.jpeg import Jpeg, of_image
from ingest.camera.pace import Pace
from ingest.camera.shot import NoPicture, Shot, filled
from stream.records import Rejected

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer

_TIMEOUT_S = 10.0  # to open a stream, and from packet to packet
_KEY_S = 20.0  # so long a key frame may take: cameras send one every second to ten
_BY_ITSELF_S = 60.0  # from here on a connection for each picture
_BEHIND_S = 3.0  # a stream that is read so late is opened anew
_DRIFT = 0.0005  # a camera's clock may be slow by so much
_LOOK_S = 0.05
_NEAR = 1.1  # of the interval: key frames that come so far apart are enough


def missing() -> Text | None:
    """What to do where PyAV is not installed; None where it is."""
    words = "pip install 'fengsui[camera-rtsp]' (PyAV)"
    return (
        None if find_spec("av") is not None else Text(f"RTSP 要装：{words}", f"RTSP needs: {words}")
    )


@cache
def pyav() -> Any:
    """PyAV, which says nothing by itself."""
    import av

    av.logging.set_level(None)  # its words may hold an address with its password
    return av


class _Open(NamedTuple):
    container: "InputContainer"
    packets: "Iterator[Packet[Any]]"


class Rtsp:
    """clock: the line's, ms."""

    def __init__(
        self, row: CameraSource, password: str, clock: Callable[[], int], pace: Pace
    ) -> None:
        self._row, self._clock, self._pace = row, clock, pace
        self._url = _address(row, password)
        self._stream: _Open | None = None
        self._forget()

    def _forget(self) -> None:
        self._keys_s = 0.0  # from key frame to key frame; 0: not known yet
        self._key_at = self._left_at = 0.0
        self._first: tuple[float, float] | None = (
            None  # when a time stamp came, and what it said, s
        )
        self._going = False  # the decoder has had every packet since a key frame

    def close(self) -> None:
        """See `Source`."""
        if self._stream is not None:
            self._stream.container.close()
        self._stream = None
        self._forget()

    def _every_s(self) -> float:
        return self._pace.interval_s(self._row.station, self._clock())

    def take(self, due: Callable[[], bool], stop: threading.Event) -> list[Shot]:
        """See `Source`."""
        if self._stream is not None and time.monotonic() - self._left_at > _BEHIND_S:
            self.close()  # whoever asks was held up: what waits in the line is old
        while not due() and (self._stream is None or self._every_s() >= _BY_ITSELF_S):
            if self._every_s() < _BY_ITSELF_S:
                break
            self.close()
            if stop.wait(_LOOK_S):
                return []
        av = pyav()
        try:
            return self._taken(self._stream or self._opened(), due, stop)
        except av.error.HTTPUnauthorizedError:
            words = Text("摄像机不认用户或密码", "the camera refuses user or password")
            raise NoPicture("bad_password", words) from None
        except av.FFmpegError as e:
            raise NoPicture("no_picture", Text(f"RTSP：{_kind(e)}", f"RTSP: {_kind(e)}")) from None
        finally:
            self._left_at = time.monotonic()
            if self._every_s() >= _BY_ITSELF_S:
                self.close()

    def _opened(self) -> _Open:
        options = {"rtsp_transport": "tcp", "fflags": "nobuffer"}
        if self._url.startswith("rtsps"):
            options |= {"tls_verify": "1", "ca_file": self._row.ca or _trusted()}
        found = pyav().open(self._url, options=options, timeout=(_TIMEOUT_S, _TIMEOUT_S))
        try:
            video = found.streams.video[0]
        except IndexError:
            found.close()
            raise NoPicture("no_picture", Text("流里没有视频", "no video in the stream")) from None
        video.codec_context.thread_type = "NONE"  # a picture comes out as soon as it is in
        self._stream = _Open(found, found.demux(video))
        return self._stream

    def _taken(self, stream: _Open, due: Callable[[], bool], stop: threading.Event) -> list[Shot]:
        shown: list[_Shown] = []
        until = time.monotonic() + _KEY_S
        for packet in stream.packets:
            if stop.is_set():
                return []
            if not packet.size:
                continue
            if not shown and not due():
                until = time.monotonic() + _KEY_S
            if time.monotonic() > until:
                raise NoPicture("no_picture", Text("流里没有关键帧", "no key frame in the stream"))
            if self._behind(packet):
                self.close()
                return []
            for frame in self._decoded(packet, bool(shown), due):
                self._add(shown, frame, due)
            if len(shown) >= self._row.burst:
                self._going &= not self._enough()
                return self._shots(shown)
        self.close()
        raise NoPicture("no_picture", Text("流断了", "the stream ended"))

    def _shots(self, shown: "list[_Shown]") -> list[Shot]:
        """Apart as the stream says, and none later than it came."""
        first = min(one.at - one.after for one in shown)
        return [Shot(first + one.after, self._jpeg(one.frame)) for one in shown]

    def _jpeg(self, frame: "VideoFrame") -> Jpeg | Rejected:
        narrow = min(frame.width, self._row.width)
        high = max(1, round(frame.height * narrow / frame.width))
        image = Image.fromarray(frame.to_ndarray(format="rgb24", width=narrow, height=high))
        return of_image(image, self._row.width, self._row.quality)

    def _behind(self, packet: "Packet[Any]") -> bool:
        """Is the stream read too late? How far apart key frames come is noted."""
        now = time.monotonic()
        if packet.is_keyframe:
            self._keys_s = now - self._key_at if self._key_at else 0.0
            self._key_at = now
        if packet.pts is None or packet.time_base is None:
            return False
        says = float(packet.pts * packet.time_base)
        came, said = self._first = self._first or (now, says)
        late = (now - came) - (says - said)
        if late < 0:
            self._first = now, says  # the soonest that one came is the measure
        return late > _BEHIND_S + _DRIFT * (now - came)

    def _decoded(
        self, packet: "Packet[Any]", begun: bool, due: Callable[[], bool]
    ) -> "list[VideoFrame]":
        """What the decoder makes of it; nothing of what nobody needs."""
        assert self._stream is not None
        context = packet.stream.codec_context
        if packet.is_keyframe:
            if self._enough() and self._row.burst == 1:
                self._going = False
                if not due():
                    return []
                found = [*context.decode(packet), *context.decode(None)]
                context.flush_buffers()
                return found
            self._going = begun or due() or not self._enough()
        return list(context.decode(packet)) if self._going else []

    def _enough(self) -> bool:
        """Do key frames come as often as pictures are due?"""
        every_s = self._every_s()
        return every_s >= _BY_ITSELF_S or 0 < self._keys_s <= _NEAR * every_s

    def _add(self, shown: "list[_Shown]", frame: "VideoFrame", due: Callable[[], bool]) -> None:
        """The frame, if a picture is due, or if it is far enough from the last of its burst."""
        at = self._clock()
        if not shown:
            if due():
                shown.append(_Shown(at, 0, frame))
            return
        last = shown[-1]
        if frame.time is None or last.frame.time is None:
            passed = at - last.at
        else:  # the stream's own clock: it knows no network between the pictures
            passed = round((frame.time - last.frame.time) * 1000)
        if len(shown) < self._row.burst and passed >= self._row.burst_ms:
            shown.append(_Shown(at, last.after + passed, frame))


class _Shown(NamedTuple):
    """at: when it came, ms; after: the first of its burst, ms, by the stream."""

    at: int
    after: int
    frame: "VideoFrame"


def _kind(e: BaseException) -> str:
    return type(e).__name__.removesuffix("Error")


def _address(row: CameraSource, password: str) -> str:
    url = filled(row.url, row.user, password)
    if not row.user or "{" in row.url:
        return url
    parts = urlsplit(url)
    at = f"{quote(row.user, safe='')}:{quote(password, safe='')}@{parts.netloc}"
    return urlunsplit(parts._replace(netloc=at))


def _trusted() -> str:
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.openssl_cafile
