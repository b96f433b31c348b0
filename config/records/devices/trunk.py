"""How calls go out by a SIP trunk: what the operator's contract says, and how a person confirms."""

from typing import Literal

from config.records.row import Row


class Trunk(Row, frozen=True, kw_only=True):
    """`trunk = { … }` of a `[[carrier]]` of kind sip. Its `url` is the trunk, `sip://HOST:PORT` or
    `sip+tcp://HOST:PORT`; `user` and `secret` answer its digest challenge, `sender` is the caller's number,
    `window` the calls at once and `rate_per_s` the calls begun a second that the contract allows."""

    number: str = "{to}"  # as the trunk wants a called number: "0{to}", "+86{to}"
    domain: str = ""  # of our own address, where it is not the trunk's host
    # key: `key` pressed after the whole text; code: two digits that are said at its end
    confirm: Literal["key", "code"] = "key"
    key: str = "1"
    wait_s: int = 6  # for the key, each time after the text
    times: int = 2  # the text is said, while there is time
    ring_s: int = 30  # at most; then nobody is there
    rate: int = 200  # words a minute, as espeak-ng counts
    codecs: tuple[Literal["PCMA", "PCMU"], ...] = ("PCMA", "PCMU")
    rtp_ports: str = "10000-20000"  # for the sound, as the firewall lets it through
