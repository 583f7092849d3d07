"""Evaluate generated digits with an independent classifier.

A small network, trained on all of MNIST and on nothing that the generators produce, predicts the digit of each sample.
It measures the share of confident predictions, the conditional accuracy, how many digits occur, and the Frechet
distance between its features of the samples and of the 60,000 training images. Distances are comparable only for the
same classifier: its fingerprint is printed with them.

Without an MNIST archive it is trained on 4,000 of the embedded digits and tested on the other 1,000. This classifier is
less independent of the generators, which are trained on the same 5,000 digits, and is cached under another name.

    python -m benchmarks.quality.digit_classifier runs/demo samples.npz --json
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
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from benchmarks.places import SHARED
from benchmarks.quality.reader import EPOCHS, PROTOCOL, Reader, read, train
from zerosum.data.sources.digits import Digits

DATA = SHARED / "data" / "mnist.npz"
CACHE = Path.home() / ".cache" / "zerosum" / "judge.safetensors"
EMBEDDED = "embedded"
"""Part of the cache's file name, and the name of the data, of the classifier of the embedded digits."""


@dataclass(frozen=True)
class DigitClassifier:
    """A trained network with the moments of its features of the training images: 60,000 of MNIST, or embedded ones."""

    reader: Reader
    mean: np.ndarray
    covariance: np.ndarray
    accuracy: float
    fingerprint: str
    baselines: dict[str, dict[str, Any]]
    data: str = "MNIST"

    def verdict(self, images: np.ndarray, labels: np.ndarray | None = None) -> dict[str, Any]:
        """Evaluate uint8 images `(N, 28, 28)`, `(N, 28, 28, 1)` or `(N, 28, 28, 3)`.

        `confident`: share of samples whose likeliest digit has a probability above .9. `right`: share predicted as
        their label (None without labels). `fid`: Frechet distance to the training set. `per_digit`: share of each
        digit. `present`: number of digits with at least 1 % of the samples.
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
    """Return uint8 images `(N, 28, 28)` from the layouts that `DigitClassifier.verdict` takes."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[3] == 3:
        images = images.mean(3).round().astype(np.uint8) if images.dtype == np.uint8 else images
    elif images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28) or len(images) < 2:
        raise ValueError(
            f"the digit classifier takes two or more uint8 images of 28 x 28 pixels, grey or RGB, channels last; "
            f"found {images.dtype} {images.shape}"
        )
    return images


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


def split(data: Path | None) -> tuple[np.ndarray, ...]:
    """Return training and test images and labels, of an archive or of the embedded digits."""
    if data is None:
        digits = Digits().open()
        assert digits.labels is not None
        x, y = digits.read(torch.arange(len(digits)))[:, 0].numpy(), digits.labels.numpy()
        held = np.arange(len(x)) % 5 == 0  # they are sorted by class
        return x[~held], y[~held], x[held], y[held]
    if not data.is_file():
        raise ValueError(f"no MNIST archive at {data}: give --data a .npz with x_train, y_train, x_test and y_test")
    with np.load(data) as archive:
        return tuple(archive[key] for key in ("x_train", "y_train", "x_test", "y_test"))


def build(data: Path | None, cache: Path) -> None:
    """Train a classifier on an MNIST archive or the embedded digits, evaluate it, and write it to `cache`.

    The number of epochs is such that the total number of training images is the same.
    """
    x, y, x_test, y_test = split(data)
    reader = train(x, y, EPOCHS if data is not None else EPOCHS * 60_000 // len(x))
    mean, covariance = moments(read(reader, x)[1])
    classifier = DigitClassifier(reader, mean, covariance, 0.0, "", {})
    some = np.random.default_rng(0).permutation(len(x))[:10_000]
    baselines = {
        "real: test": classifier.verdict(x_test, y_test),
        "real: training": classifier.verdict(x[some], y[some]),
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


def load_classifier(data: Path | None = None, cache: Path = CACHE) -> DigitClassifier:
    """Return the cached classifier; without one of this protocol, train it first (a few minutes).

    `data` is an MNIST archive, by default `DATA`; without it and a cached classifier, the classifier is trained on the
    embedded digits and cached under another name.
    """
    if data is None and not DATA.is_file() and not is_classifier(cache):
        print(
            f"digit_classifier: no MNIST archive at {DATA}; a classifier of the embedded digits is used",
            file=sys.stderr,
        )
        cache = cache.with_stem(f"{cache.stem}-{EMBEDDED}")
        if not is_classifier(cache):
            build(None, cache)
        return cached(cache, EMBEDDED)
    if not is_classifier(cache):
        build(data or DATA, cache)
    return cached(cache, "MNIST")


def cached(cache: Path, data: str) -> DigitClassifier:
    """Load a classifier."""
    tensors = load_file(cache)
    mean, covariance = (tensors.pop(f"moments.{name}").numpy() for name in ("mean", "covariance"))
    reader = Reader().to(memory_format=torch.channels_last)
    reader.load_state_dict(tensors)
    baselines = json.loads(facts_of(cache)["baselines"])
    fingerprint = hashlib.sha256(cache.read_bytes()).hexdigest()[:12]
    return DigitClassifier(
        reader.eval(), mean, covariance, baselines["real: test"]["right"], fingerprint, baselines, data
    )


def is_classifier(cache: Path) -> bool:
    """Whether a file contains a classifier of this protocol."""
    return cache.is_file() and facts_of(cache).get("protocol") == PROTOCOL


def facts_of(cache: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file."""
    with safe_open(cache, "pt") as file:
        return file.metadata() or {}


def samples(place: Path, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return images and labels (or None): of an archive with `images`, or samples of a run's generator."""
    if not place.exists():
        raise ValueError(f"{place} does not exist: give run folders or .npz archives of samples")
    if place.suffix == ".npz":
        with np.load(place) as archive:
            if "images" not in archive:
                raise ValueError(f"{place} contains {', '.join(archive)}; expected images (and labels)")
            return archive["images"], archive.get("labels")
    import zerosum

    generator = zerosum.load(place)
    return generator.sample(count, seed=0), generator.labels(count)


def table(verdicts: dict[str, dict[str, Any]]) -> str:
    """Return results as aligned lines; "x real" is the distance relative to that of the real test images."""
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
    """Evaluate runs and archives; print a table, or one JSON object with --json."""
    about = (__doc__ or "").split("\n\n")[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.digit_classifier", description=about)
    parser.add_argument("places", nargs="*", type=Path, metavar="RUN_OR_NPZ")
    parser.add_argument("--data", type=Path, help=f"the MNIST archive (.npz), by default {DATA}")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the trained classifier is cached")
    parser.add_argument("--count", type=int, default=10_000, help="number of samples of a run")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    chosen = parser.parse_args(arguments)
    try:
        classifier = load_classifier(chosen.data, chosen.cache)
        verdicts = classifier.baselines | {str(p): classifier.verdict(*samples(p, chosen.count)) for p in chosen.places}
    except ValueError as error:
        print(f"digit_classifier: {error}", file=sys.stderr)
        return 2
    if chosen.json:
        print(
            json.dumps(
                {
                    "judge": classifier.fingerprint,
                    "data": classifier.data,
                    "accuracy": classifier.accuracy,
                    "verdicts": verdicts,
                }
            )
        )
    else:
        print(table(verdicts))
        print(f"classifier {classifier.fingerprint} of {classifier.data}, test accuracy {classifier.accuracy:.2%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
