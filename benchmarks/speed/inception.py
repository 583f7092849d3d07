"""Speed of Inception features compared with torch-fidelity, and the effect of bfloat16 on scores.

    make peers                                        # sets up .venv-peers, once
    python -m benchmarks.speed.inception [--images 64] [--repeats 5] [--photographs 1800] [--only speed formats]

**Speed**: torch-fidelity in float32, ours in float32 and ours in bfloat16 run in three processes with the same
weights, images and batches. They alternate, each going first equally often, and while one computes the others wait. The
first pass of each is not counted; the result is the median of the others.

**Formats**: FID and KID of photographs of flowers against other ones, and against blurred ones, with all features in
float32 and again in bfloat16. Inception has its public weights if they are cached, else made-up ones, as the table
records; EfficientNet-Lite0 has its ImageNet weights.

Both tables are written to `benchmarks/results/metrics.md`. With --trial they are only printed.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import ImageFilter
from torch import Tensor

from benchmarks.machine import machine
from benchmarks.made_up import inception_weights
from benchmarks.marked import write
from benchmarks.packs import decoded
from benchmarks.places import RESULTS, ROOT, SHARED
from benchmarks.turns import THREADS, player
from zerosum.features.extractor import Extractor
from zerosum.features.inception import WEIGHTS, Inception
from zerosum.features.lite0 import Lite0
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.kernel import kernel_distance

PAGE = RESULTS / "metrics.md"
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
FLOWERS = SHARED / "data" / "flowers128.npz"
BATCH = 64
OURS = ("float32", "bfloat16")
PEER = "torch-fidelity float32"


def speed(python: Path, count: int, side: int, repeats: int) -> str:
    """Measure all readers alternately; return a table.

    Raises `ValueError` if the Python of `make peers` is missing or a process ends.
    """
    if not python.exists():
        raise ValueError(f"there is no {python}: run `make peers` first")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        weights, images = Path(folder, "weights.pth"), Path(folder, "images.npy")
        torch.save(inception_weights(), weights)
        np.save(images, np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8))
        files = {name: Path(folder, f"{number}.npy") for number, name in enumerate((PEER, *OURS))}
        programs = {PEER: [str(python), "benchmarks/peers/peer_torch_fidelity.py"]}
        programs |= {name: [sys.executable, "-m", "benchmarks.speed.inception_reader", name] for name in OURS}
        readers = {}
        for name, program in programs.items():
            words = [*program, str(weights), str(images), str(files[name]), "--batch", str(BATCH)]
            readers[name] = stack.enter_context(player(words))
        times: dict[str, list[float]] = {name: [] for name in readers}
        version = ""
        for turn in range(repeats + 1):
            order = [*readers]
            for name in order[turn % len(order) :] + order[: turn % len(order)]:
                answer = readers[name].ask("read")
                version = answer.get("version", version)
                times[name].append(answer["seconds"])
            print({name: round(spent[-1], 2) for name, spent in times.items()}, file=sys.stderr, flush=True)
        features = {name: torch.from_numpy(np.load(path)).double() for name, path in files.items()}
    return speed_table({name: spent[1:] for name, spent in times.items()}, features, count, version)


def speed_table(times: dict[str, list[float]], features: dict[str, Tensor], count: int, version: str) -> str:
    """Return medians, the ratios to torch-fidelity within a repetition, and the largest error of a feature."""
    lines = [
        "| reader | images/s | times torch-fidelity, median | lowest to highest | features off by |",
        "|---" * 5 + "|",
    ]
    for name, spent in times.items():
        ratios = [theirs / ours for theirs, ours in zip(times[PEER], spent, strict=True)]
        off = float((features[name] - features[PEER]).abs().max())
        label = PEER.replace(" ", f" {version} ") if name == PEER else f"zerosum {name}"
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        lines.append(f"| {label} | {count / median(spent):.2f} | {median(ratios):.2f} | {spread} | {off:.1e} |")
    return "\n".join(lines)


def flowers(count: int, blur: float = 0.0, start: int = 0, path: Path = FLOWERS) -> Tensor:
    """Return every other photograph of the archive, even or odd ones by `start`, uint8 `(N, H, W, 3)`."""
    if not path.exists():
        raise ValueError(f"there is no {path} with photographs")
    with np.load(path, allow_pickle=False) as pack:
        chosen = range(start, len(pack["images_offsets"]) - 1, 2)[:count]
        images = [
            one.filter(ImageFilter.GaussianBlur(blur)) if blur else one for one in decoded(pack, "images", chosen)
        ]
    return torch.from_numpy(np.stack([np.asarray(image) for image in images]))


def formats(count: int) -> str:
    """Return a table of FID and KID with features in float32 and in bfloat16."""
    real = flowers(count)
    others = {"other flowers": flowers(count, start=1), "other flowers, blurred": flowers(count, 1.0, start=1)}
    lines = ["| features | against | FID float32 | bfloat16 | KID x 1000 float32 | bfloat16 |", "|---" * 6 + "|"]
    for name, pair in extractors().items():
        mine = [read(extractor, real) for extractor in pair]
        for words, images in others.items():
            scores = [scored(some, read(extractor, images)) for some, extractor in zip(mine, pair, strict=True)]
            (fid, kid), (half_fid, half_kid) = scores
            lines.append(f"| {name} | {words} | {fid} | {half_fid} | {kid} | {half_kid} |")
        fid, kid = scored(*mine)
        lines.append(f"| {name} | themselves, in bfloat16 | | {fid} | | {kid} |")
        print(*lines[-3:], sep="\n", file=sys.stderr, flush=True)
    return "\n".join(lines)


def scored(real: Tensor, fake: Tensor) -> tuple[str, str]:
    """Format FID, and 1000 KID with its standard error."""
    kid = kernel_distance(real, fake)
    return f"{frechet_distance(real, fake):.4g}", f"{1000 * kid.value:.3f} ± {1000 * (kid.standard_error or 0):.3f}"


def extractors() -> dict[str, tuple[Extractor, Extractor]]:
    """Return the networks by name, each in float32 and in bfloat16."""
    half = torch.bfloat16
    try:
        public = Inception(), Inception(dtype=half)
        named = {f"Inception, {WEIGHTS.name}": public}
    except ValueError as error:
        print(f"inception: {error}; made-up weights instead", file=sys.stderr)
        weights = inception_weights()
        named = {"Inception, made-up weights": (Inception(weights), Inception(weights, dtype=half))}
    return {**named, "EfficientNet-Lite0": (Lite0(), Lite0(dtype=half))}


def read(extractor: Extractor, images: Tensor) -> Tensor:
    """Return the features of all images."""
    return torch.cat([extractor(batch).features for batch in images.split(BATCH)])


def main(arguments: list[str] | None = None) -> int:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=64, help="number of images, for the speed")
    parser.add_argument("--side", type=int, default=32, help="height and width of these images")
    parser.add_argument("--repeats", type=int, default=5, help="passes that count")
    parser.add_argument("--photographs", type=int, default=1800, help="number in each set, for the scores")
    parser.add_argument("--python", type=Path, default=PYTHON, help="the Python that has torch-fidelity")
    parser.add_argument("--only", nargs="+", choices=("speed", "formats"), default=("speed", "formats"))
    parser.add_argument("--trial", action="store_true", help="print the tables without writing them")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(THREADS)
    try:
        for part in chosen.only:
            if part == "speed":
                text = speed(chosen.python, chosen.images, chosen.side, chosen.repeats)
                setup = (
                    f"{chosen.images} images of side {chosen.side}, batches of {BATCH}, {chosen.repeats} repetitions"
                )
            else:
                text, setup = formats(chosen.photographs), f"{chosen.photographs} photographs of 128x128 in each set"
            text = f"{text}\n\nMachine: {machine()}; {THREADS} threads; {setup}."
            if chosen.trial:
                print(text)
            else:
                write(PAGE, part, "benchmarks.speed.inception", text)
    except ValueError as error:
        print(f"inception: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
