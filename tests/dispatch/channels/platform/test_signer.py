"""SM2 over SM3: the standard's example by two programs that know nothing of each other, each checks what
the other signs; and the county's cipher device behind a command or a socket."""

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.channels.platform.ebd.signature import block_of
from dispatch.channels.platform.signer import (
    USER_ID,
    Device,
    Public,
    SignerError,
    Software,
    der,
    on_curve,
    plain,
)
from tests.support.examples import examples

pytest.importorskip("gmssl_pyx", reason="needs SM2: pip install 'fengsui[broadcast]'")
gmssl = pytest.importorskip("gmssl", reason="needs the second SM2")
from gmssl import sm2  # noqa: E402

# GB/T 32918.5, the example on the recommended curve
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SAID = b"message digest"
RS = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


def second() -> sm2.CryptSM2:
    return sm2.CryptSM2(private_key=PRIVATE.hex(), public_key=PUBLIC.hex())


def software() -> Software:
    return Software(PRIVATE, PUBLIC, "3363", lambda: 1_753_567_800.9)


def test_the_example_of_the_standard_by_both() -> None:
    assert Public(PUBLIC).good(SAID, RS)
    assert second().verify_with_sm3(RS.hex(), SAID)
    import gmssl_pyx
    from gmssl import func, sm3

    # GB/T 32905, A.1
    abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert gmssl_pyx.sm3_hash(b"abc").hex() == sm3.sm3_hash(func.bytes_to_list(b"abc")) == abc


@pytest.mark.servers
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_third_program_takes_what_we_sign(tmp_path: Path) -> None:
    # SubjectPublicKeyInfo: id-ecPublicKey, SM2 (1.2.156.10197.1.301), the point
    head = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
    (tmp_path / "pub").write_bytes(head + PUBLIC)
    (tmp_path / "said").write_bytes(b"what we say")
    (tmp_path / "sig").write_bytes(der(software().sign(b"what we say")[10:]))
    done = subprocess.run(
        ["openssl", "dgst", "-sm3", "-sigopt", f"distid:{USER_ID.decode()}", "-verify", "pub",
         "-keyform", "DER", "-signature", "sig", "said"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "Unknown" in done.stderr or "unsupported" in done.stderr:
        pytest.skip("this openssl has no SM2")
    assert "Verified OK" in done.stdout, done.stderr


@given(st.binary(max_size=300))
@examples(12)
def test_each_takes_what_the_other_signs_and_nothing_else(said: bytes) -> None:
    block = block_of(software().sign(said))
    assert (block.time, block.serial) == (1_753_567_800, "000000003363")
    assert second().verify_with_sm3(block.rs.hex(), said)
    assert not second().verify_with_sm3(block.rs.hex(), said + b"x")
    theirs = bytes.fromhex(second().sign_with_sm3(said))
    ours = Public(b"\x04" + PUBLIC)
    assert ours.good(said, theirs)
    assert not ours.good(said + b"x", theirs)
    assert not ours.good(said, theirs[:-1] + bytes([theirs[-1] ^ 1]))


@given(st.binary(min_size=64, max_size=64))
@examples(100)
def test_r_and_s_come_back_from_der(rs: bytes) -> None:
    assert plain(der(rs)) == rs


@given(st.binary(max_size=80))
@examples(200)
def test_no_other_bytes_are_der(raw: bytes) -> None:
    for body in (raw, der(RS)[: len(raw)], der(RS)[:-1] + raw[:1]):
        with contextlib.suppress(ValueError):
            assert len(plain(body)) == 64


def test_odd_signatures_and_keys_are_no_and_never_an_error() -> None:
    public = Public(PUBLIC)
    for rs in (b"", RS[:-1], RS + b"\0", b"\0" * 64, b"\xff" * 64):
        assert not public.good(SAID, rs)
    for key in (b"", PUBLIC[:-1], bytes(64), PUBLIC[:-1] + b"\0", b"\x05" + PUBLIC):
        with pytest.raises(ValueError, match="SM2"):
            Public(key)
    assert on_curve(PUBLIC)
    with pytest.raises(ValueError, match="私钥"):
        Software(bytes(32), PUBLIC, "1", lambda: 0.0)
    with pytest.raises(ValueError, match="一对"):
        Software(bytes(31) + b"\x07", PUBLIC, "1", lambda: 0.0)


DEVICE = """
import sys
said = sys.stdin.buffer.read()
how = sys.argv[1]
if how == "no":
    sys.exit(3)
raw = bytes(4) + bytes(6) + said.ljust(64, b"x")[:64]
out = {"raw": raw, "hex": raw.hex().encode() + b"\\n", "half": raw[:70]}
if how == "base64":
    import base64
    out["base64"] = base64.b64encode(raw)
sys.stdout.buffer.write(out[how])
"""


@pytest.fixture
def device(tmp_path: Path) -> Callable[[str], Device]:
    script = tmp_path / "device.py"
    script.write_text(DEVICE)
    return lambda how: Device(f"exec:{sys.executable} {script} {how}", 60)


@pytest.mark.parametrize("how", ["raw", "hex", "base64"])
def test_a_device_behind_a_command_in_three_spellings(
    device: Callable[[str], Device], how: str
) -> None:
    assert block_of(device(how).sign(b"these bytes")).rs == b"these bytes".ljust(64, b"x")


@pytest.mark.parametrize("how", ["no", "half"])
def test_a_device_that_refuses_or_says_half_is_told(
    device: Callable[[str], Device], how: str
) -> None:
    with pytest.raises(SignerError, match="密码机"):
        device(how).sign(b"x")


def test_a_device_at_a_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in (bytes(74), b"", None):
                line, _ = server.accept()
                with line:
                    size = int.from_bytes(line.recv(4), "big")
                    assert len(line.recv(size, socket.MSG_WAITALL)) == size
                    if answer is not None:
                        line.sendall(len(answer).to_bytes(4, "big") + answer)

        thread = threading.Thread(target=serve)
        thread.start()
        there = Device(f"tcp://127.0.0.1:{server.getsockname()[1]}", 60)
        assert there.sign(b"x" * 100_000) == bytes(74)
        for _ in range(2):
            with pytest.raises(SignerError):
                there.sign(b"x")
        thread.join()
    with pytest.raises(SignerError, match="不通"):
        there.sign(b"x")
