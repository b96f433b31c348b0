"""The contact store: an opaque id -> the number or address of a channel.

Numbers live in the district's contact table only. What is returned here goes to the carrier and
nowhere else: not into records, errors or log lines.
"""

from config.district import ADDRESS_COLUMN, District
from dispatch.channels import SendError


def address(district: District, recipient: str, channel: str) -> str:
    """The telephone number (`sms`, `voice`), app or mail address of a contact; for `webhook` its id,
    whose address stands in channels.toml.

    Raises SendError (permanent) if there is none.
    """
    contact = district.contacts.get(recipient)
    if contact is None:
        raise SendError(f"no contact {recipient}", permanent=True)
    found: str = getattr(contact, ADDRESS_COLUMN[channel])
    if not found:
        raise SendError(f"contact {recipient} has no address for {channel}", permanent=True)
    return found
