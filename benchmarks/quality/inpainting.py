"""Scores of photographs of which a hidden part was filled in."""

from collections.abc import Mapping

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from zerosum.evaluation import EvaluationConfig, Evaluator
from zerosum.runs.generator import TrainedGenerator

FEATURES = ("random-conv", "alexnet")
HEAD = (
    f"| application | method | mean error in the hole | {' | '.join(f'KID x 1,000, {name}' for name in FEATURES)} "
    "| processor s |\n" + "| --- " * 6 + "|"
)
ARGUMENTS = (
    *("--images", "120000", "--set", "pretrain=0.7"),
    *("--set", "g_terms=(L1(40.0), DiscriminatorFeatures(1.0))"),
)
Pixels = np.ndarray  # uint8 (N, H, W, C)


def border(c: Pixels, *_: Pixels) -> Pixels:
    """Hidden pixels by the nearest known ones: known colours spread by a pixel at a time."""
    known = torch.from_numpy(c[..., -1:] > 127).permute(0, 3, 1, 2).float()
    if not bool(known.flatten(1).any(1).all()):
        raise ValueError("an image without a known pixel has no border to fill it from")
    filled = torch.from_numpy(c[..., :-1]).permute(0, 3, 1, 2).float() * known
    while not bool(known.all()):
        share = avg_pool2d(known, 3, 1, 1, count_include_pad=False)
        spread = avg_pool2d(filled * known, 3, 1, 1, count_include_pad=False) / share.clamp(min=1e-6)
        filled = torch.where(known > 0, filled, spread)
        known = (share > 0).float()
    return filled.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def filled(made: Pixels, c: Pixels) -> Pixels:
    """Images with the known pixels of their conditions, the mask of which is the last channel."""
    return np.where(c[..., -1:] > 127, c[..., :-1], made)


def rows(name: str, generators: Mapping[str, TrainedGenerator], c: Pixels, x: Pixels, spent: str) -> list[str]:
    """The rows of generators and of the border: the mean absolute error in the hole over the range of values, and KID.

    KID is between the filled images and the real ones of other masks: half of the real images are filled, and the other
    half is what they are compared with.
    """
    half, hidden = len(x) // 2, c[..., -1] <= 127
    evaluators = [Evaluator(x[half:], ("kid",), EvaluationConfig(one, device="cpu")) for one in FEATURES]
    made = {method: generator.sample(len(c), conditions=c) for method, generator in generators.items()}
    made |= {"border": border(c), "the real part": x}
    lines = []
    for how, images in made.items():
        whole = filled(images, c)
        errors = errors_in(hidden, whole, x)
        cells = [f"{errors.mean():.4f} ± {errors.std(ddof=1) / len(errors) ** 0.5:.4f}"]
        for evaluator in evaluators:
            found = evaluator.score(whole[:half])
            cells.append(f"{1_000 * found.values['kid']:.2f} ± {1_000 * found.errors['kid']:.2f}")
        lines.append(f"| {name} | {how} | {' | '.join(cells)} | {spent if how in generators else ''} |")
    return lines


def errors_in(hidden: np.ndarray, made: Pixels, x: Pixels) -> np.ndarray:
    """The mean absolute error of each image over its hidden pixels, bool `(N, H, W)`, of the range of values."""
    apart = np.abs(made.astype(float) - x).mean(3) / 255
    shares: np.ndarray = (apart * hidden).sum((1, 2)) / hidden.sum((1, 2))
    return shares
