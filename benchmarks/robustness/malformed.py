"""`zerosum data check` and training on thousands of malformed images: no crash, no hang, bounded memory.

    python -m benchmarks.robustness.malformed [--count 1000] [--seed 0] [--out benchmarks/results/malformed.md]

The images are generated from seeds (`benchmarks/robustness/malformed_images.py`) and mixed with as many valid ones, in
two classes. Each command runs in its own process with a time limit; the table has its exit status, time and peak
memory, and those of the same command on the valid images alone.
"""

import argparse
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.machine import machine
from benchmarks.robustness.malformed_images import malformed

LIMIT = 1_800  # seconds for a command
MEASURED = (
    "import resource, sys, time\n"
    "from zerosum.cli import main\n"
    "began = time.perf_counter()\n"
    "try:\n"
    "    main()\n"
    "finally:\n"
    "    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
    "    print(f'\\nMEASURED {time.perf_counter() - began:.1f} {peak:.0f}', file=sys.stderr)\n"
)
TRAIN = [
    *("train", "dcgan", "--precision", "float32", "--json"),
    *("--set", "generator.size=4", "--set", "discriminator.size=4", "--set", "batch=32", "--set", "conditional=True"),
    *("--set", "tick=1000", "--set", "snapshot=100_000"),
]


def write_good(folder: Path, count: int, seed: int) -> None:
    """Write valid images in two classes."""
    for index in range(count):
        pixels = np.random.default_rng([seed, index]).integers(0, 256, (24, 24, 3), dtype=np.uint8)
        (folder / "ab"[index % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / "ab"[index % 2] / f"{index:05}-good.png")


def write_malformed(folder: Path, count: int, seed: int) -> None:
    """Write malformed images in the same folders."""
    for index in range(count):
        suffix, raw = malformed(seed, index)
        (folder / "ab"[index % 2]).mkdir(parents=True, exist_ok=True)
        (folder / "ab"[index % 2] / f"{index:05}{suffix}").write_bytes(raw)


def zipped(folder: Path) -> Path:
    """Zip a folder; the archive is next to it."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def measured(arguments: list[str], cwd: Path) -> dict[str, Any]:
    """Run a command: its exit status, seconds, peak memory in MB, and its JSON; raises if it crashes or hangs."""
    words = [sys.executable, "-W", "ignore", "-c", MEASURED, *arguments]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=LIMIT, env=dict(os.environ))
    end = done.stderr.rpartition("MEASURED ")[2].split()
    if done.returncode not in (0, 1) or "Traceback" in done.stderr or len(end) != 2:
        raise SystemExit(f"{arguments} ended with {done.returncode}:\n{done.stderr[-3_000:]}")
    output = json.loads(done.stdout) if done.stdout.strip() else {}
    return {"status": done.returncode, "seconds": float(end[0]), "megabytes": int(end[1]), "output": output}


def play(place: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """Run all commands on the valid images and on all images; return a row for each."""
    good, every = place / "good", place / "all"
    write_good(good, count, seed)
    write_good(every, count, seed)
    write_malformed(every, count, seed)
    rows = []
    for folder in (good, every):
        ways = {
            "data check FOLDER": ["data", "check", str(folder), "--json"],
            "data check ZIP": ["data", "check", str(zipped(folder)), "--json"],
            "train --data FOLDER, bad=skip": [
                *TRAIN,
                *("--data", f"Images({str(folder)!r}, size=16, bad='skip')", "--out", f"{folder}-run"),
                *("--images", str(4 * count)),
            ],
        }
        for name, words in ways.items():
            found = measured(words, place)
            output = found.pop("output")
            broken = [one["reason"] for one in output.get("broken", ())]
            assert all(reason.isprintable() for reason in broken), broken
            rows.append({"command": name, "images": folder.name, **found, "broken": len(broken) or None})
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of the rows."""
    heads = ("command", "images", "exit status", "found broken", "seconds", "peak of memory, MB")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        found = (row["status"], row["broken"] or "", row["seconds"], row["megabytes"])
        cells = (f"`{row['command']}`", row["images"], *found)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main(words: list[str] | None = None) -> None:
    """Run all, print the table and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args(words)
    with TemporaryDirectory() as place:
        rows = play(Path(place), chosen.count, chosen.seed)
    command = f"`python -m benchmarks.robustness.malformed --count {chosen.count} --seed {chosen.seed}`"
    text = (
        f"# Malformed images\n\n{command}: {chosen.count:,} malformed images generated from seeds and as many\nvalid "
        f"ones, on {machine()}.\nNo command crashed, and each reported reason is one printable sentence."
        f"\n\n{table(rows)}\n"
    )
    print(text)
    if chosen.out is not None:
        chosen.out.write_text(text)


if __name__ == "__main__":
    main()
