"""An independent judge of digits: how far are generated digits from MNIST?

A small network that no generator has seen, trained on all of MNIST, reads each sample. It tells how many
samples are clearly some digit, how many are the digit that was asked for, whether every digit occurs, and
the Frechet distance between its features of the samples and of the 60,000 training images. Distances hold
only within one judge: its fingerprint is printed with them.

    python -m bench.judge runs/demo samples.npz --json
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

DATA = Path(__file__).parents[2] / "shared" / "data" / "mnist.npz"
CACHE = Path.home() / ".cache" / "zerosum" / "judge.safetensors"
EPOCHS, BATCH, PEAK_RATE, WEIGHT_DECAY, SHIFT = 6, 128, 4e-3, 0.02, 2
"""The training protocol of the judge; another protocol is another judge, with a cache of its own."""
PROTOCOL = f"cnn-dense-128/{EPOCHS}/{BATCH}/{PEAK_RATE}/{WEIGHT_DECAY}/{SHIFT}"


class Reader(nn.Module):
    """Convolutions at 28, 14 and 7 pixels, a dense layer of 128 features, and a linear head.

    No label smoothing and no pooling over the whole image: either folds the features onto the ten classes,
    and a distance between them would no longer see variety within a class.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *stage(1, 32, size=5), nn.MaxPool2d(2),
            *stage(32, 64), *stage(64, 64), nn.MaxPool2d(2),
            *stage(64, 64), nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map grey images in -1..1, `(B, 1, 28, 28)`, to logits `(B, 10)` and features `(B, 128)`."""
        features = self.body(x)
        return self.head(features), features


def stage(fan_in: int, fan_out: int, size: int = 3) -> tuple[nn.Module, ...]:
    """Return a convolution that keeps the side, with batch norm and a rectifier."""
    convolution = nn.Conv2d(fan_in, fan_out, size, padding=size // 2, bias=False)
    return convolution, nn.BatchNorm2d(fan_out), nn.ReLU()


@dataclass(frozen=True)
class Judge:
    """A trained reader with the moments of its features on the 60,000 training images."""

    reader: Reader
    mean: np.ndarray
    covariance: np.ndarray
    accuracy: float
    fingerprint: str
    baselines: dict[str, dict[str, Any]]

    def verdict(self, images: np.ndarray, labels: np.ndarray | None = None) -> dict[str, Any]:
        """Read uint8 images `(N, 28, 28)`, `(N, 28, 28, 1)` or `(N, 28, 28, 3)` and sum up what is seen.

        `confident`: share of samples whose likeliest digit has more than .9. `right`: share read as the
        label asked for (None without labels). `fid`: Frechet distance to the training set. `per_digit`:
        share of each digit. `present`: how many digits have at least 1 % of the samples.
        """
        logits, features = read(self.reader, grey(images))
        confidence, digit = (t.numpy() for t in logits.softmax(1).max(1))
        shares = np.bincount(digit, minlength=10) / len(digit)
        if labels is not None and len(labels) != len(digit):
            raise ValueError(f"{len(labels)} labels for {len(digit)} images: give one label an image")
        return {
            "samples": len(digit),
            "confident": float((confidence > 0.9).mean()),
            "right": None if labels is None else float((digit == np.asarray(labels)).mean()),
            "fid": frechet(*moments(features), self.mean, self.covariance),
            "present": int((shares >= 0.01).sum()),
            "per_digit": [round(float(share), 4) for share in shares],
        }


def grey(images: np.ndarray) -> np.ndarray:
    """Return uint8 images `(N, 28, 28)` from the layouts that `Judge.verdict` takes."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[3] == 3:
        images = images.mean(3).round().astype(np.uint8) if images.dtype == np.uint8 else images
    elif images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28) or len(images) < 2:
        raise ValueError(
            f"the judge reads two or more uint8 images of 28 x 28 pixels, grey or RGB, channels last; "
            f"this is {images.dtype} {images.shape}"
        )
    return images


def scaled(images: Tensor) -> Tensor:
    """Return uint8 images `(B, 28, 28)` as floats in -1..1, `(B, 1, 28, 28)`."""
    return (images[:, None].float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def read(reader: Reader, images: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Return logits `(N, 10)` and float64 features `(N, 128)`, computed in float32 with the norms frozen."""
    parts = [reader(scaled(part)) for part in torch.from_numpy(images).split(500)]
    logits, features = (torch.cat(column) for column in zip(*parts, strict=True))
    return logits, features.double().numpy()


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of features `(N, d)`."""
    return features.mean(0), np.cov(features, rowvar=False)


def frechet(mean_a: np.ndarray, cov_a: np.ndarray, mean_b: np.ndarray, cov_b: np.ndarray) -> float:
    """Return the Frechet distance between two Gaussians (Dowson and Landau, 1982; Heusel et al., 2017).

    |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)). The product has the eigenvalues of the symmetric
    S_a^(1/2) S_b S_a^(1/2), so the root needs no general matrix square root.
    """
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    return float(((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def shifted(images: Tensor, by: int, draw: torch.Generator) -> Tensor:
    """Return images `(B, H, W)`, each moved by up to `by` pixels along each axis, with black behind."""
    count, height, width = images.shape
    padded = F.pad(images, (by, by, by, by))
    down, right = torch.randint(2 * by + 1, (2, count, 1, 1), generator=draw)
    rows = down + torch.arange(height)[:, None]
    columns = right + torch.arange(width)
    return padded[torch.arange(count)[:, None, None], rows, columns]


def train(images: np.ndarray, labels: np.ndarray, epochs: int = EPOCHS) -> Reader:
    """Train a reader on uint8 images `(N, 28, 28)` and their labels, with one cycle of the learning rate."""
    draw = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        reader = Reader().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(reader.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    steps = len(images) // BATCH
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, epochs * steps)
    x, y = torch.from_numpy(images), torch.from_numpy(labels).long()
    for epoch in range(epochs):
        for chosen in torch.randperm(len(x), generator=draw)[: steps * BATCH].split(BATCH):
            with torch.autocast("cpu", torch.bfloat16):
                logits, _ = reader(scaled(shifted(x[chosen], SHIFT, draw)))
            loss = F.cross_entropy(logits.float(), y[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            cycle.step()
        print(f"judge: epoch {epoch + 1} of {epochs}, last loss {loss.item():.4f}", file=sys.stderr)
    return reader.eval()


def build(data: Path, cache: Path) -> None:
    """Train a judge on an MNIST archive, measure it, and write it with its moments to `cache`."""
    if not data.is_file():
        raise ValueError(f"no MNIST archive at {data}: give --data a .npz with x_train, y_train, x_test and y_test")
    with np.load(data) as archive:
        x, y, x_test, y_test = (archive[key] for key in ("x_train", "y_train", "x_test", "y_test"))
    reader = train(x, y)
    mean, covariance = moments(read(reader, x)[1])
    judge = Judge(reader, mean, covariance, 0.0, "", {})
    some = np.random.default_rng(0).permutation(len(x))[:10_000]
    baselines = {
        "real: test": judge.verdict(x_test, y_test),
        "real: training": judge.verdict(x[some], y[some]),
    }
    facts = {"protocol": PROTOCOL, "baselines": json.dumps(baselines)}
    tensors = dict(reader.state_dict()) | {
        "moments.mean": torch.from_numpy(mean),
        "moments.covariance": torch.from_numpy(covariance),
    }
    cache.parent.mkdir(parents=True, exist_ok=True)
    unfinished = cache.with_suffix(".unfinished")
    save_file({key: value.contiguous() for key, value in tensors.items()}, unfinished, facts)
    unfinished.replace(cache)


def load_judge(data: Path = DATA, cache: Path = CACHE) -> Judge:
    """Return the cached judge; train it first (a few minutes) where there is none of this protocol."""
    if not cache.is_file() or facts_of(cache).get("protocol") != PROTOCOL:
        build(data, cache)
    tensors = load_file(cache)
    mean, covariance = (tensors.pop(f"moments.{name}").numpy() for name in ("mean", "covariance"))
    reader = Reader().to(memory_format=torch.channels_last)
    reader.load_state_dict(tensors)
    baselines = json.loads(facts_of(cache)["baselines"])
    fingerprint = hashlib.sha256(cache.read_bytes()).hexdigest()[:12]
    return Judge(reader.eval(), mean, covariance, baselines["real: test"]["right"], fingerprint, baselines)


def facts_of(cache: Path) -> dict[str, str]:
    """Return what is written beside the tensors of a safetensors file."""
    with safe_open(cache, "pt") as file:
        return file.metadata() or {}


def samples(place: Path, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return images and labels (or None): from an archive with `images`, or drawn from a run's generator."""
    if not place.exists():
        raise ValueError(f"nothing at {place}: give run folders or .npz archives of samples")
    if place.suffix == ".npz":
        with np.load(place) as archive:
            if "images" not in archive:
                raise ValueError(f"{place} holds {', '.join(archive)}; the judge reads images (and labels)")
            return archive["images"], archive.get("labels")
    import zerosum

    generator = zerosum.load(place)
    return generator.sample(count, seed=0), generator.labels(count)


def table(verdicts: dict[str, dict[str, Any]]) -> str:
    """Return verdicts as aligned lines; "x real" is the distance over that of the MNIST test images."""
    width = max(map(len, verdicts)) + 2
    real = verdicts["real: test"]["fid"]
    lines = [f"{'':{width}}{'samples':>8}{'FID':>9}{'x real':>8}{'confident':>11}{'right':>8}{'digits':>8}"]
    for name, v in verdicts.items():
        right = "-" if v["right"] is None else f"{v['right']:.2%}"
        distance = f"{v['fid']:>9.3f}{v['fid'] / real:>8.1f}"
        shares = f"{v['confident']:>11.2%}{right:>8}{v['present']:>8}"
        lines.append(f"{name:{width}}{v['samples']:>8}{distance}{shares}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Judge runs and archives; print a table, or one JSON object with --json."""
    about = (__doc__ or "").split("\n\n")[1]
    parser = argparse.ArgumentParser(prog="python -m bench.judge", description=about)
    parser.add_argument("places", nargs="*", type=Path, metavar="RUN_OR_NPZ")
    parser.add_argument("--data", type=Path, default=DATA, help="the MNIST archive (.npz)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the trained judge is kept")
    parser.add_argument("--count", type=int, default=10_000, help="samples to draw from a run")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    chosen = parser.parse_args(arguments)
    try:
        judge = load_judge(chosen.data, chosen.cache)
        verdicts = judge.baselines | {str(p): judge.verdict(*samples(p, chosen.count)) for p in chosen.places}
    except ValueError as error:
        print(f"judge: {error}", file=sys.stderr)
        return 2
    if chosen.json:
        print(json.dumps({"judge": judge.fingerprint, "accuracy": judge.accuracy, "verdicts": verdicts}))
    else:
        print(table(verdicts))
        print(f"judge {judge.fingerprint}, {judge.accuracy:.2%} of the MNIST test images right")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
