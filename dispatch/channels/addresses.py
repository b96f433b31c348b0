"""An opaque id -> the number or address of a channel.

Numbers live in the contact store (dispatch.people.contact_store) only. What is returned here goes to the
carrier and nowhere else: not into records, errors or log lines.
"""

from functools import cache
from pathlib import Path

from config.language import Text
from config.records.channels import ADDRESS_COLUMN
from config.records.district import District
from dispatch.channels import SendError
from dispatch.people.contact_store import ASKED, CODE, ContactStore


def address(district: District, recipient: str, channel: str) -> str:
    """The telephone number (`sms`, `voice`), app or mail address of a contact; for `webhook` its id,
    whose address stands in channels.toml.

    Raises SendError (permanent) if there is none: no such person, or one who was erased meanwhile.
    """
    contact = district.contacts.get(recipient)
    if district.vault is not None:
        try:
            contact = _store(district.vault).whole(recipient)
        except ValueError as e:
            words = Text(f"联系人 {recipient} 解不开", f"contact {recipient} cannot be decrypted")
            raise SendError(words, permanent=True) from e
    if contact is None:
        words = Text(f"没有联系人 {recipient}", f"there is no contact {recipient}")
        raise SendError(words, permanent=True)
    found: str = getattr(contact, ADDRESS_COLUMN[channel])
    if not found:
        words = Text(
            f"联系人 {recipient} 没有 {channel} 的地址",
            f"contact {recipient} has no address for {channel}",
        )
        raise SendError(words, permanent=True)
    return found


def with_code(district: District, recipient: str, text: str) -> str:
    """The words with the code that only the store knows, to a number that is asked whether it is theirs."""
    if not recipient.startswith(ASKED) or CODE not in text or district.vault is None:
        return text
    asked = _store(district.vault).whole(recipient)
    return text if asked is None else text.replace(CODE, asked.name)


@cache
def _store(folder: Path) -> ContactStore:
    return ContactStore(folder)
