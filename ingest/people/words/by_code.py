"""Where the policy has a gully opened by a code (`opens_by_code`), an SMS that a gateway hands over as
somebody's opens nothing: whoever looked the number up cannot ask back, only
`dispatch.send.opening` can. Pure."""

from config.language import Text
from ingest.observation import PersonSays, Service
from stream.records import Rejected

_BY_CODE = Text(
    "开沟要验证码（policy.toml 的 opens_by_code）：由责任人发短信到本区号码，或用个人网页",
    "opening takes a code (opens_by_code of policy.toml): an SMS to the district's own number, or the page",
)


def without_code(said: PersonSays | Service | Rejected) -> PersonSays | Service | Rejected:
    """The same, but for a word that opens a place."""
    opens = isinstance(said, PersonSays) and said.what == "opened"
    return Rejected("bad_value", _BY_CODE) if opens else said
