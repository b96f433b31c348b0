"""What a telephone does, as scenarios of SIPp, a program of its own: it says no, it rings and nobody is there,
it is picked up and keys are pressed. Pure."""


def answer(status: int, reason: str, *headers: str, wait_ms: int = 0) -> str:
    """A telephone, or its exchange, that says no."""
    pause = f'<pause milliseconds="{wait_ms}"/>' if wait_ms else ""
    return _scenario(
        _RECEIVE_INVITE + pause + _reply(status, reason, *headers) + '<recv request="ACK"/>'
    )


def rings(seconds: int) -> str:
    """It rings and nobody is there; the call is taken back."""
    return _scenario(
        _RECEIVE_INVITE + _reply(180, "Ringing")
        + f'<recv request="CANCEL" timeout="{seconds * 1000}"/>' + _reply(200, "OK")
        + _reply(487, "Request Terminated").replace("[last_CSeq:]", "CSeq: [$1]")
        + '<recv request="ACK"/>'
    )  # fmt: skip


def picks_up(*then: str, early_ms: int = 0, over: bool = False) -> str:
    """It is answered, after an operator's tune if `early_ms`; `then`: what comes after. Ends with a BYE of
    the caller, unless it is `over`."""
    early = f'{_reply(183, "Session Progress", sdp=True)}<pause milliseconds="{early_ms}"/>'
    begin = early if early_ms else _reply(180, "Ringing")
    return _scenario(
        _RECEIVE_INVITE + begin + _reply(200, "OK", sdp=True)
        + '<recv request="ACK" rrs="true"/>' + "".join(then)
        + ("" if over else '<recv request="BYE" timeout="120000"/>' + _reply(200, "OK"))
    )  # fmt: skip


def presses_by_info(digit: str, after_ms: int) -> str:
    """A key as SIP INFO, in the dialogue."""
    body = f"""Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={digit}
Duration=160"""
    return f'<pause milliseconds="{after_ms}"/>' + _request("INFO", body)


def offers(way: str, number: int) -> str:
    """Another way of the sound in the dialogue, such as `inactive` (RFC 3264, 8.4)."""
    body = _SDP.replace("o=phone 1 1", f"o=phone 1 {number}") + f"a={way}\n"
    contact = "Contact: <sip:phone@[local_ip]:[local_port]>\n"
    asked = _request("INVITE", contact + body).replace("2 INVITE", f"{number} INVITE")
    trying = '<recv response="100" optional="true"/><recv response="200"/>'
    ack = _request("ACK", "Content-Length: 0\n").replace("2 ACK", f"{number} ACK")
    return asked.replace('<recv response="200"/>', trying) + ack.replace(
        '<recv response="200"/>', ""
    ).replace(' retrans="500"', "")


def hangs_up() -> str:
    """The telephone does."""
    return _request("BYE", "Content-Length: 0\n")


def _request(method: str, rest: str) -> str:
    """In the dialogue."""
    return f"""<send retrans="500"><![CDATA[
{method} [$2] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: [$4];tag=[pid]-[call_number]
To: [$3]
Call-ID: [call_id]
CSeq: 2 {method}
Max-Forwards: 70
{rest}
]]></send><recv response="200"/>"""


_RECEIVE_INVITE = """<recv request="INVITE" rrs="true"><action>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="1"/>
<ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="2"/>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="3"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="4"/>
</action></recv>"""
_SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
"""


def _reply(status: int, reason: str, *headers: str, sdp: bool = False) -> str:
    here = "Contact: <sip:phone@[local_ip]:[local_port];transport=[transport]>"
    more = "\n".join(headers or [here])
    body = _SDP if sdp else "Content-Length: 0\n"
    return f"""<send><![CDATA[
SIP/2.0 {status} {reason}
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]-[call_number]
[last_Call-ID:]
[last_CSeq:]
{more}
{body}
]]></send>"""


def _scenario(steps: str) -> str:
    used = '<Reference variables="1,2,3,4"/>'
    return f'<?xml version="1.0"?><scenario name="phone">{steps}{used}</scenario>'
