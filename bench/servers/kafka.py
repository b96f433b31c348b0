"""A Kafka broker of one node."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from bench.servers.process import SERVICES, Absent, ServerProcess
from fengsui.run.setup import free_port

_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


class Kafka(ServerProcess):
    """`ports`: listeners by name. proxied: name of a listener -> the port at which it is advertised, where
    somebody passes on to it. SECURE is SASL (SCRAM-SHA-256) over TLS with the server's key and certificate
    in `pem`; with `rights` nobody may do what nobody granted, USERS is SASL without TLS, and PLAINTEXT the
    administrator's."""

    user, password = "fengsui", "sea-of-clouds"

    def __init__(
        self,
        folder: Path,
        *,
        proxied: Mapping[str, int] | None = None,
        pem: Path | None = None,
        rights: bool = False,
        heap_mb: int = 512,
    ) -> None:
        libs = SERVICES / "kafka" / "libs"
        if not libs.exists() or shutil.which("java") is None:
            raise Absent("Kafka")
        super().__init__(folder / "kafka.log")
        proxied = proxied or {}
        names = ["PLAINTEXT", *proxied] + ["SECURE"] * bool(pem)
        names += ["USERS"] * rights
        self.ports = {name: free_port() for name in names}
        # it lives for minutes: code that is compiled well costs more than it ever gives back
        self._java = ["java", f"-Xmx{heap_mb}m", "-XX:TieredStopAtLevel=1", "-cp", f"{libs}/*"]
        self._settings = folder / "server.properties"
        told = {n: proxied.get(n, p) for n, p in self.ports.items()}
        plain = "".join(f"{n}:PLAINTEXT," for n in proxied)
        control = free_port()
        at = "127.0.0.1"
        text = f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{at}:{control}
controller.listener.names=CONTROLLER
listeners={"".join(f"{n}://{at}:{p}," for n, p in self.ports.items())}CONTROLLER://{at}:{control}
advertised.listeners={",".join(f"{n}://{at}:{p}" for n, p in told.items())}
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,{plain}SECURE:SASL_SSL,USERS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""
        if pem is not None:
            text += f"""sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.secure.scram-sha-256.sasl.jaas.config={_SCRAM} required;
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={pem}
"""
        if rights:
            text += f"""sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.users.scram-sha-256.sasl.jaas.config={_SCRAM} required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
        self._settings.write_text(text)
        scram = f"SCRAM-SHA-256=[name={self.user},password={self.password}]"
        with self.notes.open("wb") as out:
            subprocess.run(
                [*self._java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk",
                 "-c", str(self._settings), "--add-scram", scram],
                check=True, stdout=out, stderr=out,
            )  # fmt: skip

    def address(self, listener: str = "PLAINTEXT") -> str:
        """HOST:PORT of a listener itself."""
        return f"127.0.0.1:{self.ports[listener]}"

    def start(self) -> Self:
        """Returns when it answers."""
        words = [*self._java, "kafka.Kafka", str(self._settings)]
        self._begin(words, self.ports["PLAINTEXT"])
        return self
