"""What a process of the line answers for its health while it works."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from config.language import Text, text_of
from fengsui.run.terminal import echo
from stream.environment import Usage
from stream.http.exporter import serve


@contextmanager
def answering() -> Iterator[None]:
    """Metrics and health at the address of FENGSUI_HTTP; none is named: nowhere. Raises Usage."""
    address = os.environ.get("FENGSUI_HTTP", "")
    try:
        with serve(address) as port:
            if port:
                echo(
                    Text(
                        f"fengsui: /metrics /healthz /readyz 在端口 {port}",
                        f"fengsui: /metrics /healthz /readyz on port {port}",
                    ),
                    err=True,
                )
            yield
    except ValueError as e:
        raise Usage(text_of(e)) from e
