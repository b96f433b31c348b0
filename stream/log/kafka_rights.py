"""Users and rights on Kafka, laid down by an administrator's connection: a user a program, each with
the topics that it reads and writes and no others.

What a user is given is a `Right`; `lay_down` makes Kafka hold exactly these for our users and one
run: what is missing is granted, what is left over is taken away, and other entries are not looked at.
The broker needs an authorizer (`StandardAuthorizer` with KRaft) and refuses what nobody granted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka import errors as ke
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from config.language import Text
from stream.log.kafka_clients import Admin
from stream.log.kafka_url import Right, kafka_place
from stream.log.port import Unavailable

_ITERATIONS = 8192  # of SCRAM; our passwords are random


def lay_down(
    url: str, rights: Mapping[str, Iterable[Right]], passwords: Mapping[str, str], within: str
) -> tuple[int, int]:
    """Give each user of `rights` these and no others of what is called `within…`, and the passwords
    named. url: an administrator's. How many entries were granted and taken away. Raises
    Unavailable with Kafka's words."""
    place = kafka_place(url)
    try:
        admin = Admin(**place.options)
    except (ke.KafkaError, OSError) as e:
        raise Unavailable(f"Kafka {place.where}: {type(e).__name__}: {e}") from e
    granted = taken = 0
    try:
        _set_passwords(admin, passwords)
        for user, wanted in rights.items():
            new = {_entry(r) for r in wanted}
            held = _held(admin, f"User:{user}")
            old = {e for e in held if e[1].startswith(within) or e in new}
            _grant(admin, f"User:{user}", sorted(new - old))
            _take(admin, f"User:{user}", sorted(old - new))
            granted, taken = granted + len(new - old), taken + len(old - new)
    except (ke.KafkaError, OSError) as e:
        raise Unavailable(
            Text(
                f"Kafka {place.where}: 权限没有设好：{type(e).__name__}: {e}",
                f"Kafka {place.where}: rights could not be laid down: {type(e).__name__}: {e}",
            )
        ) from e
    finally:
        admin.close()
    return granted, taken


_Entry = tuple[int, str, int, int]  # resource, its name, pattern, operation
_WHAT = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType.TRANSACTIONAL_ID,
}
_DOES = {
    "read": ACLOperation.READ,
    "write": ACLOperation.WRITE,
    "describe": ACLOperation.DESCRIBE,
    "describe_configs": ACLOperation.DESCRIBE_CONFIGS,
}


def _entry(right: Right) -> _Entry:
    kind = ACLResourcePatternType.PREFIXED if right.prefix else ACLResourcePatternType.LITERAL
    return int(_WHAT[right.what]), right.name, int(kind), int(_DOES[right.does])


def _set_passwords(admin: Any, passwords: Mapping[str, str]) -> None:
    made = [
        UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_256, word, _ITERATIONS)
        for user, word in passwords.items()
    ]
    failed = {u: e for u, e in (admin.alter_user_scram_credentials(made) or {}).items() if e}
    if failed:
        raise ke.KafkaError(f"users: {failed}")


def _held(admin: Any, principal: str) -> set[_Entry]:
    """What the user may do now, by entries that allow."""
    every = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    wanted = ACLFilter(principal, None, ACLOperation.ANY, ACLPermissionType.ALLOW, every)
    found, error = admin.describe_acls(wanted)
    if error is not ke.NoError:
        raise ke.KafkaError(f"describe_acls: {error}")
    out = set()
    for acl in found:
        p = acl.resource_pattern
        out.add((int(p.resource_type), p.resource_name, int(p.pattern_type), int(acl.operation)))
    return out


def _pattern(entry: _Entry) -> tuple[ResourceType, str, ACLResourcePatternType]:
    return ResourceType(entry[0]), entry[1], ACLResourcePatternType(entry[2])


def _grant(admin: Any, principal: str, entries: Sequence[_Entry]) -> None:
    acls = [
        ACL(
            principal,
            "*",
            ACLOperation(e[3]),
            ACLPermissionType.ALLOW,
            ResourcePattern(*_pattern(e)),
        )
        for e in entries
    ]
    if acls and (failed := admin.create_acls(acls)["failed"]):
        raise ke.KafkaError(f"create_acls: {failed}")


def _take(admin: Any, principal: str, entries: Sequence[_Entry]) -> None:
    gone = [
        ACLFilter(
            principal, "*", ACLOperation(e[3]), ACLPermissionType.ALLOW,
            ResourcePatternFilter(*_pattern(e)),
        )
        for e in entries
    ]  # fmt: skip
    for _, _, error in admin.delete_acls(gone) if gone else ():
        if error is not ke.NoError:
            raise ke.KafkaError(f"delete_acls: {error}")
