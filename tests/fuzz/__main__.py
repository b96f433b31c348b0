"""Coverage-guided search for input that ends a decoder: `make fuzz`, `make fuzz ARGS="cap 600"`.

    python -m tests.fuzz [TARGET|all] [SECONDS each]

Each target runs in a process of its own. What it finds is printed and kept in `.fuzz/TARGET/`, and the
exit code is 1. Needs atheris, which nothing else does.
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".fuzz"
LONGEST = 8192  # bytes of an input


def search(name: str, seconds: int) -> None:
    """One target, here; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["ingest", "dispatch", "config"]):
        from tests.fuzz.targets import TARGETS, seeds, world

    world()
    folder = FOLDER / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    for n, seed in enumerate(seeds(name)):
        if len(seed) <= LONGEST:
            (folder / "corpus" / f"seed-{n}").write_bytes(seed)
    atheris.Setup(
        [
            name, f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20",
            "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={folder}/found-",
            str(folder / "corpus"),
        ],
        TARGETS[name],
    )  # fmt: skip
    atheris.Fuzz()


def main(wanted: str, seconds: int) -> int:
    from tests.fuzz.targets import TARGETS

    if wanted != "all" and wanted not in TARGETS:
        print(f"没有 no target {wanted!r}: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    failed = []
    for name in TARGETS if wanted == "all" else [wanted]:
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
        notes = FOLDER / name / "notes.log"
        with notes.open("wb") as out:
            done = subprocess.run(
                [sys.executable, "-m", "tests.fuzz", "--one", name, str(seconds)],
                stdout=out, stderr=out,
            )  # fmt: skip
        words = notes.read_text("utf-8", "replace")
        runs = [x.split()[-1] for x in words.splitlines() if "number_of_executed_units" in x]
        ended = "有问题 FOUND" if done.returncode else "好 well"
        print(f"{name:<20}{runs[-1] if runs else '?':>12} 次 runs  {ended}")
        if done.returncode:
            failed.append(name)
            print(words[-3000:], file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        search(sys.argv[2], int(sys.argv[3]))
    else:
        given = sys.argv[1:] + ["all", "60"][len(sys.argv) - 1 :]
        sys.exit(main(given[0], int(given[1])))
