"""A camera whose picture tells when it was taken: an RTSP server (GStreamer's), run by the system's Python.

/usr/bin/python3 bench/load/rtsp_clock.py WIDTH HEIGHT KEY_EVERY

25 frames a second of a texture that drifts, under a row of 48 blocks, black or white: the wall clock in ms,
the highest bit first. It prints its port, and imports nothing of this house.
"""

import os
import random
import sys
import time
from typing import Any

BITS, BLOCK = 48, 8  # rows of the band as well
_FRAME_MS = 40


def main(width: int, height: int, key_every: int) -> None:
    import gi

    for name in ("Gst", "GstRtspServer"):
        gi.require_version(name, "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    caps = f"video/x-raw,format=GRAY8,width={width},height={height},framerate=25/1"
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        # where the machine is too busy for 25 a second frames are left out, and none waits
        "( appsrc name=src is-live=true format=time do-timestamp=true max-buffers=1 leaky-type=downstream "
        f'caps="{caps}" ! videoconvert ! '
        f"video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=superfast key-int-max={key_every} "
        "bitrate=2000 ! rtph264pay name=pay0 pt=96 )"
    )
    factory.set_shared(True)
    pixels = random.Random(7)
    texture = bytes(pixels.randrange(64, 128) for _ in range(width))
    rows = [texture[n % 61 :] + texture[: n % 61] for n in range(height)]
    body = b"".join(rows)

    def configured(_factory: Any, media: Any) -> None:
        source = media.get_element().get_by_name("src")
        count = [0]

        def push() -> bool:
            count[0] += 1
            frame = Gst.Buffer.new_wrapped(_frame(body, width, count[0]))
            return bool(source.emit("push-buffer", frame) == Gst.FlowReturn.OK)

        GLib.timeout_add(_FRAME_MS, push)

    factory.connect("media-configure", configured)
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


def _frame(body: bytes, width: int, count: int) -> bytes:
    now = int(time.time() * 1000)
    bits = (now >> n & 1 for n in range(BITS - 1, -1, -1))
    line = b"".join((b"\xeb" if bit else b"\x10") * BLOCK for bit in bits)
    band = (line + bytes(width - len(line))) * BLOCK
    away = count * 2 * width % len(body)  # it drifts down by two rows a frame
    moved = body[-away:] + body[:-away] if away else body
    # the lowest quarter is water: nothing of it is as it was
    fresh = os.urandom(len(body) // 4)
    return band + moved[len(band) : len(body) - len(fresh)] + fresh


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
