"""Speed of packed data compared with its folder of images, and the time that a run waits for data.

    python -m benchmarks.speed.packed [--data FOLDER] [--size 64] [--pairs 9] [--images 2000] [--run 3000] [--json]

The folder is read by a map-style dataset that opens each file with Pillow, converts it to RGB and resizes it, behind
torch's DataLoader with two persistent workers. The packed set is read in a shuffled order. Both return batches of 64 as
uint8 (B, C, H, W). Passes over both alternate, and the ratio is the median over the pairs. Without `--data`, the images
are made up: smooth images of 64x64 with some noise, as JPEG and as PNG. Then the `dcgan` recipe is trained on the
packed set, and the waiting time is taken from its log.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.machine import machine
from zerosum.data.sources.folders import Images
from zerosum.data.sources.packed import PackedSet
from zerosum.data.sources.packing import pack
from zerosum.recipes.named_recipes import named
from zerosum.recipes.settings import with_setting
from zerosum.training.train import train

BATCH, WORKERS = 64, 2


class Folder(Dataset[Tensor]):
    """Image files as a map-style dataset."""

    def __init__(self, folder: Path, size: int) -> None:
        self.files, self.size = sorted(p for p in folder.rglob("*.*") if p.suffix in (".png", ".jpg", ".webp")), size

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self.files[index]) as image:
            flat = image.convert("RGB")
            if flat.size != (self.size, self.size):
                flat = flat.resize((self.size, self.size))
            return torch.from_numpy(np.array(flat)).permute(2, 0, 1).contiguous()


def made_up(folder: Path, count: int, suffix: str) -> None:
    """Write smooth images of 64x64 with some noise."""
    folder.mkdir()
    for index in range(count):
        random = np.random.default_rng(index)
        coarse = Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((64, 64), Image.Resampling.BICUBIC), np.float32)
        pixels = (smooth + random.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:06}{suffix}")


def passes(loader: DataLoader[Tensor]) -> Callable[[], int]:
    """A pass over the folder; returns the number of images."""
    return lambda: sum(len(x) for x in loader)


def packed_pass(packed: Any) -> Callable[[], int]:
    """A pass over the packed set in a shuffled order."""

    def one() -> int:
        order = torch.randperm(len(packed))
        return sum(len(packed.read(index)) for index in torch.split(order, BATCH))

    return one


def rate(one: Callable[[], int], seconds: float) -> float:
    """Images per second over whole passes of at least `seconds` in total."""
    began, seen = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds or not seen:
        seen += one()
    return seen / spent


def compared(folder: Path, size: int, pairs: int, place: Path) -> dict[str, Any]:
    """Rates of the folder and of the packed set, measured alternately."""
    began = time.perf_counter()
    dataset = pack(Images(str(folder), size=size, fit="crop"), place / f"{folder.name}-packed")
    spent = time.perf_counter() - began
    loader = DataLoader(Folder(folder, size), BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True)
    ways = {"folder": passes(loader), "packed": packed_pass(dataset)}
    for one in ways.values():
        one()  # starts the workers and fills the file cache
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(pairs):
        for name in sorted(ways, reverse=bool(turn % 2)):
            rates[name].append(rate(ways[name], 1.0 if name == "packed" else 0.0))
    ratios = [p / f for p, f in zip(rates["packed"], rates["folder"], strict=True)]
    return {
        "images": f"{len(dataset):,} {folder.name}",
        "packing": round(len(dataset) / spent),
        "folder": round(statistics.median(rates["folder"])),
        "packed": round(statistics.median(rates["packed"])),
        "ratio": round(statistics.median(ratios), 1),
        "lowest": round(min(ratios), 1),
        "highest": round(max(ratios), 1),
    }


def waiting(packed: Path, images: int, place: Path) -> float:
    """The share of time that a DCGAN run waits for data, without the first line of its log."""
    recipe = named("dcgan")
    for setting in (f"tick={max(64, images // 8)}", f"snapshot={10 * images}", "conditional=False"):
        recipe = with_setting(recipe, setting)
    run = train(recipe, place / "run", data=PackedSet(str(packed)), images=images, quiet=True)
    return statistics.mean(line["wait"] for line in run.log[1:] if "wait" in line)


def folders(data: Path | None, count: int, place: Path) -> Iterator[Path]:
    """The given folder, or two made-up ones."""
    if data is not None:
        yield data
        return
    for suffix in (".jpg", ".png"):
        made_up(place / f"64x64 {suffix[1:].upper()}", count, suffix)
        yield place / f"64x64 {suffix[1:].upper()}"


def main(words: list[str] | None = None) -> None:
    """Print the table, or one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder of images; without it, made-up ones")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--images", type=int, default=2_000, help="made-up images in a folder")
    parser.add_argument("--run", type=int, default=3_000, help="images of the DCGAN run")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(words)
    with TemporaryDirectory() as name:
        place = Path(name)
        rows = [
            compared(folder, chosen.size, chosen.pairs, place) for folder in folders(chosen.data, chosen.images, place)
        ]
        first = next(place.glob("*-packed"))
        share = waiting(first, chosen.run, place)
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": rows, "wait": share}))
        return
    print(f"{machine()}; {chosen.pairs} pairs; images per second\n")
    print("| images | folder, DataLoader, 2 workers | packed | ratio, median | lowest to highest | packing |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        rates = f"{row['folder']:,} | {row['packed']:,} | {row['ratio']} | {row['lowest']} to {row['highest']}"
        print(f"| {row['images']} | {rates} | {row['packing']:,} |")
    print(f"\nWaiting for data in a `dcgan` run on the packed set: {share:.2%} of the time.")


if __name__ == "__main__":
    main()
