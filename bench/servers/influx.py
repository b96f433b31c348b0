"""An InfluxDB 2 of our own."""

import json
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import NamedTuple, Self

from bench.servers.process import SERVICES, Absent, ServerProcess
from fengsui.run.setup import free_port


class Influx(NamedTuple):
    """An InfluxDB 2 with an organisation, a bucket and a token."""

    host: str
    token: str
    org: str
    bucket: str

    @property
    def url(self) -> str:
        """Of the history on it."""
        return f"influx://{self.host}/{self.org}/{self.bucket}"


class InfluxServer(ServerProcess):
    """An influxd of our own, set up at its first start."""

    def __init__(self, folder: Path) -> None:
        self._binary = SERVICES / "influxd"
        if not self._binary.exists():
            raise Absent("InfluxDB")
        super().__init__(folder / "influxd.log")
        self._folder, self._port = folder, free_port()
        self.place = Influx(f"127.0.0.1:{self._port}", uuid.uuid4().hex, "fengsui", "history")

    def start(self) -> Self:
        """Returns when it is set up."""
        at = self._folder
        words = [
            str(self._binary), f"--http-bind-address={self.place.host}", "--reporting-disabled",
            f"--bolt-path={at}/bolt", f"--engine-path={at}/engine", f"--sqlite-path={at}/sqlite",
            "--log-level=warn",
        ]  # fmt: skip
        self._begin(words, self._port)
        self._set_up()
        return self

    def _set_up(self) -> None:
        body = {
            "username": "test",
            "password": "test-password",
            "org": self.place.org,
            "bucket": self.place.bucket,
            "token": self.place.token,
        }
        request = urllib.request.Request(
            f"http://{self.place.host}/api/v2/setup",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        why = ""
        while not self.ended():
            try:
                urllib.request.urlopen(request, timeout=60).close()
                return
            except urllib.error.HTTPError as e:
                if e.code == 422:  # it was set up before
                    return
                why = str(e)
            except OSError as e:
                why = str(e)
            time.sleep(0.1)
        raise RuntimeError(f"InfluxDB cannot be set up: {why}")
