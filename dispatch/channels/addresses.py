"""An opaque id -> the number or address of a channel.

Numbers live in the contact store (dispatch.people.contact_store) only. What is returned here goes to the
carrier and nowhere else: not into records, errors or log lines.
"""

from functools import cache
from pathlib import Path

from config.records.district import ADDRESS_COLUMN, District
from dispatch.channels import SendError
from dispatch.people.contact_store import ContactStore


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
            words = f"联系人解不开 contact {recipient} cannot be decrypted"
            raise SendError(words, permanent=True) from e
    if contact is None:
        raise SendError(f"没有这个联系人 no contact {recipient}", permanent=True)
    found: str = getattr(contact, ADDRESS_COLUMN[channel])
    if not found:
        words = f"联系人没有此渠道的地址 contact {recipient} has no address for {channel}"
        raise SendError(words, permanent=True)
    return found


@cache
def _store(folder: Path) -> ContactStore:
    return ContactStore(folder)
