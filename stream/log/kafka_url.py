"""How to reach Kafka, from a URL: the options of every client.

    kafka://HOST:PORT[,HOST:PORT…]                       plain, for a loopback or a closed network
    kafka://USER@HOST:PORT?password_file=FILE            SASL (SCRAM-SHA-256, or ?sasl=…)
    kafkas://[USER@]HOST:PORT?ca=FILE[&cert=FILE&key=FILE]  TLS, with SASL or a client certificate

Also: replication=N (copies of each partition; otherwise as many brokers as there are, at most 3);
flush=1 (each append is on a disk before it is acknowledged) or flush=0; otherwise with fewer than 3 copies.
A password comes from `password_file`, else from FENGSUI_KAFKA_PASSWORD_FILE or
FENGSUI_KAFKA_PASSWORD, else from the URL itself.
"""

import os
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from config.language import Text, en, zh

# Kafka's own topics that our commits rest on
INTERNAL = ("__consumer_offsets", "__transaction_state")
_OPTIONS = ("ca", "cert", "key", "sasl", "password_file", "replication", "flush")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_BOOTSTRAP_MS = 8_000  # then it is unavailable, which whoever asks says and tries again
# A broker that was away is asked again so soon, as Java's clients do. kafka-python's own longest wait is 30 s:
# the line stood for that long after the broker was back (fengsui bench kills).
_RECONNECT_MS = 1_000


class Place(NamedTuple):
    """`where`: hosts, without any secret, for messages."""

    where: str
    options: dict[str, Any]
    replication: int  # 0: by the number of brokers
    flush: str = ""  # 1, 0, or "": by the number of copies


class Right(NamedTuple):
    """What a user may do (stream/log/kafka_rights.py). name: the resource's, or with `prefix` how it
    begins."""

    what: Literal["topic", "group", "transactional_id"]
    name: str
    does: Literal["read", "write", "describe", "describe_configs"]
    prefix: bool = False


def kafka_place(url: str) -> Place:
    """Raises ValueError with what to write instead."""
    parts = urlsplit(url)
    query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
    wrong = [k for k in query if k not in _OPTIONS]
    hosts = parts.netloc.rpartition("@")[2]
    if wrong or not hosts:
        what = (
            Text(f"不认识的选项 {wrong[0]!r}", f"unknown option {wrong[0]!r}")
            if wrong
            else Text("没有主机", "no host")
        )
        raise ValueError(
            Text(
                f"Kafka 地址：{zh(what)}；应写 kafka://HOST:PORT，见 docs/kafka.md",
                f"Kafka URL: {en(what)}; write kafka://HOST:PORT, see docs/en/kafka.md",
            )
        )
    options: dict[str, Any] = {
        "bootstrap_servers": hosts.split(","),
        "bootstrap_timeout_ms": _BOOTSTRAP_MS,
        "reconnect_backoff_max_ms": _RECONNECT_MS,
    }
    tls = parts.scheme == "kafkas"
    if tls:
        files = {"ssl_cafile": "ca", "ssl_certfile": "cert", "ssl_keyfile": "key"}
        options |= {k: _file(query[q], q) for k, q in files.items() if q in query}
    if parts.username:
        mechanism = query.get("sasl", "SCRAM-SHA-256")
        if mechanism not in _MECHANISMS:
            raise ValueError(
                Text(
                    f"Kafka: sasl={mechanism!r}: 只有 {', '.join(_MECHANISMS)}",
                    f"Kafka: sasl={mechanism!r}: there are {', '.join(_MECHANISMS)}",
                )
            )
        options |= {
            "sasl_mechanism": mechanism,
            "sasl_plain_username": unquote(parts.username),
            "sasl_plain_password": _password(query, unquote(parts.password or "")),
        }
    protocol = ("SASL_" if parts.username else "") + ("SSL" if tls else "PLAINTEXT")
    options["security_protocol"] = protocol
    if (flush := query.get("flush", "")) not in ("", "0", "1"):
        raise ValueError(Text(f"Kafka: flush={flush!r}: 0 或 1", f"Kafka: flush={flush!r}: 0 or 1"))
    return Place(hosts, options, int(query.get("replication", "0")), flush)


def _password(query: dict[str, str], given: str) -> str:
    path = query.get("password_file") or os.environ.get("FENGSUI_KAFKA_PASSWORD_FILE", "")
    if path:
        return Path(_file(path, "password_file")).read_text().strip()
    found = os.environ.get("FENGSUI_KAFKA_PASSWORD", "") or given
    if not found:
        raise ValueError(
            Text(
                "Kafka: 有用户名而无口令：用 ?password_file=FILE 或 "
                "FENGSUI_KAFKA_PASSWORD_FILE 指定文件",
                "Kafka: a user without a password: name a file with ?password_file=FILE or "
                "FENGSUI_KAFKA_PASSWORD_FILE",
            )
        )
    return found


def _file(path: str, option: str) -> str:
    if not Path(path).is_file():
        raise ValueError(
            Text(
                f"Kafka: {option}={path}: 没有这个文件",
                f"Kafka: {option}={path}: there is no such file",
            )
        )
    return path
