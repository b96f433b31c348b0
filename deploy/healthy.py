#!/usr/bin/env python3
"""Health check of one stage's container: exit code 0 when /healthz of FENGSUI_HTTP answers 200.

Asks over loopback, whatever address the stage listens on, and through no proxy.
"""

import http.client
import os
import sys

_TIMEOUT_S = 3.0


def healthy(address: str) -> str:
    """What is wrong, or "". `address` is HOST:PORT as in FENGSUI_HTTP."""
    port = address.rpartition(":")[2]
    if not port.isdigit():
        return f"FENGSUI_HTTP={address!r}: write HOST:PORT"
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as e:
        return f"127.0.0.1:{port}/healthz: {type(e).__name__}: {e}"
    finally:
        connection.close()
    return "" if status == 200 else f"127.0.0.1:{port}/healthz: {status}"


if __name__ == "__main__":
    wrong = healthy(os.environ.get("FENGSUI_HTTP", ""))
    if wrong:
        print(wrong, file=sys.stderr)
    sys.exit(1 if wrong else 0)
