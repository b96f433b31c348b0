"""A picture that came, whole and dated, into the run's frame store, as an observation."""

import hashlib

import msgspec

from config.language import Text
from ingest.decode.frame import check_frame
from ingest.identify import Register, frame_observation
from ingest.observation import Observation
from stream.disk.blobs import FrameStore, no_room
from stream.records import Rejected


def keep_picture(
    register: Register, frames: FrameStore, station: str, stamp: str, body: bytes, received_at: int
) -> Observation | Rejected:
    """stamp: ms since 1970. Where the volume takes none the reason is `no_room`, and the digest proves the
    picture."""
    wrong = check_frame(body)
    if wrong is not None:
        return wrong
    found = frame_observation(register, station, stamp, len(body), "", received_at)
    if isinstance(found, Rejected):
        return found
    try:
        ref = frames.put(body)
    except OSError as e:
        digest = hashlib.sha256(body).hexdigest()
        return Rejected("no_room", f"sha256 {digest}: " + no_room(Text("图像", "pictures"), e))
    return msgspec.structs.replace(found, ref=ref)
