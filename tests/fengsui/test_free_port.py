"""A port told free belongs to one process, before anybody has bound it."""

import subprocess
import sys

import pytest

from fengsui.run import setup


@pytest.mark.skipif(sys.platform != "linux", reason="the claim is Linux's")
def test_two_processes_are_not_told_the_same_port() -> None:
    # the other process counts as we do, and would be told the same ports
    told = [setup.free_port() for _ in range(3)]
    program = (
        "import itertools\n"
        "from fengsui.run import setup\n"
        f"setup._PORTS = itertools.count({told[0] - setup._FIRST_PORT})\n"
        "print(*(setup.free_port() for _ in range(3)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert not {int(port) for port in found.split()} & set(told)


def test_a_port_is_told_once() -> None:
    told = [setup.free_port() for _ in range(setup._CLAIMS_MOST + 50)]
    assert len(set(told)) == len(told)
