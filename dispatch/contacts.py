"""The contact store: an opaque id -> the number or address of a channel.

Numbers live in the district's contact table only. What is returned here goes to the carrier and
nowhere else: not into records, errors or log lines.
"""

from config.district import District
from dispatch.channels import SendError


def address(district: District, recipient: str, channel: str) -> str:
    """The telephone number (`sms`) or app address (`app`) of a contact.

    Raises SendError (permanent) if there is none.
    """
    contact = district.contacts.get(recipient)
    if contact is None:
        raise SendError(f"no contact {recipient}", permanent=True)
    found = {"sms": contact.phone, "app": contact.app}[channel]
    if not found:
        raise SendError(f"contact {recipient} has no address for {channel}", permanent=True)
    return found
