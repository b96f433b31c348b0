"""What several tests use, by the one it was written for: choices."""

import msgspec

from config.records.district import Contact
from config.records.level import Level


def resident(name: str = "R-1", **more: object) -> Contact:
    base = Contact(
        id=name, name="n", role="residents", areas=("A01",), lang="zh", channels=("sms",),
        min_level=Level.BLUE, phone="199-0000-0000",
    )  # fmt: skip
    return msgspec.structs.replace(base, **more)
