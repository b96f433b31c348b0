"""How a process is asked how it is: `/metrics` for Prometheus, `/healthz` and `/readyz`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from config.language import Text
from stream.metrics import CLOCK_KEPT, PULSES, UP
from stream.pace.time_service import as_metric


def _answer(path: str, accept: str) -> tuple[int, str, bytes]:
    """Status, kind and body of what is asked for."""
    state = PULSES.state()
    if path == "/metrics":
        CLOCK_KEPT.set(as_metric())
        for stage, found in state.items():
            UP.labels(stage).set(int(found["alive"]))
        encode, kind = choose_encoder(accept)
        return 200, kind, encode(REGISTRY)
    needed = {"/healthz": ("alive",), "/readyz": ("alive", "ready")}.get(path)
    if needed is None:
        return 404, "text/plain; charset=utf-8", b"/metrics /healthz /readyz\n"
    well = bool(state) and all(s[n] for s in state.values() for n in needed)
    body = json.dumps(state, ensure_ascii=False).encode() + b"\n"
    return 200 if well else 503, "application/json; charset=utf-8", body


async def _app(scope: Any, _receive: Any, send: Any) -> None:
    """ASGI: what is asked for is small and at hand."""
    accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
    status, kind, body = _answer(scope["path"], accept)
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serve(address: str) -> Iterator[int]:
    """Answer at HOST:PORT while the block runs; yields the port, 0 while it is not open. "" answers nowhere.
    An address that cannot be had yet is tried again: no stage of the line stands still for its metrics.

    Raises ValueError if the address is none."""
    host, colon, port = address.rpartition(":")
    if not address:
        yield 0
        return
    if not colon or not port.isdigit():
        raise ValueError(
            Text(
                f"FENGSUI_HTTP={address!r}: 应写 HOST:PORT，如 127.0.0.1:9464",
                f"FENGSUI_HTTP={address!r}: write HOST:PORT, e.g. 127.0.0.1:9464",
            )
        )
    from stream.http.server import Bounds, HttpDoor  # a process that nobody asks needs no server

    server = HttpDoor(
        _app, f"{host or '127.0.0.1'}:{port}", "metrics-http", Bounds(32), patient=True
    )
    try:
        yield 0 if server.trouble else server.port
    finally:
        server.close()
