"""Digest and Basic, by the examples of the standards."""

import doctest

import ingest.camera.digest
from ingest.camera.digest import answer

# RFC 7616, section 3.9.1: one challenge in two algorithms
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def challenge(algorithm: str, more: str = ', qop="auth, auth-int"') -> str:
    return (
        f'Digest realm="http-auth@example.org"{more}, algorithm={algorithm}, nonce="{NONCE}", '
        f'opaque="{OPAQUE}"'
    )


def of(header: str) -> str | None:
    return answer(header, "GET", "/dir/index.html", "Mufasa", "Circle of Life", CNONCE)


def test_the_examples_of_rfc_7616() -> None:
    md5, sha = of(challenge("MD5")), of(challenge("SHA-256"))
    assert md5 is not None
    assert sha is not None
    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in md5
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in sha
    assert 'uri="/dir/index.html"' in sha
    assert "qop=auth," in sha
    assert "nc=00000001" in sha


def test_the_example_of_rfc_2069_without_qop() -> None:
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    header = f'Digest realm="testrealm@host.com", nonce="{nonce}", opaque="5ccc"'
    made = answer(header, "GET", "/dir/index.html", "Mufasa", "CircleOfLife", "x")
    assert made is not None
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in made
    assert "cnonce" not in made


def test_the_stronger_of_two_is_taken_and_basic_last() -> None:
    both = f'Basic realm="x", {challenge("MD5")}, {challenge("SHA-256")}'
    made = of(both)
    assert made is not None
    assert made.startswith("Digest")
    assert "algorithm=SHA-256" in made
    assert of('Basic realm="x"') == "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl"


def test_quoted_names_and_bare_ones() -> None:
    made = of('Digest realm="the \\"gate\\"", nonce=n1, qop=auth, algorithm=MD5, stale=')
    assert made is not None
    assert 'realm="the \\"gate\\""' in made
    assert 'nonce="n1"' in made
    assert "qop=auth," in made


def test_what_cannot_be_answered() -> None:
    assert of("Digest qop=auth-int, realm=") is None
    assert of("") is None
    assert of("Negotiate") is None
    assert of(challenge("ROT13")) is None
    assert of(challenge("MD5", ', qop="auth-int"')) is None


def test_the_example_in_the_words() -> None:
    assert doctest.testmod(ingest.camera.digest).failed == 0
