"""Scores of images of captions: what of a caption a detector, which is no network, finds in the image."""

from collections.abc import Sequence
from dataclasses import replace

import torch

import zerosum
from zerosum.probes import answers, follows

ANSWERS = ("count", "size", "colour", "kind", "place")
HEAD = "| application | images | " + " | ".join(("all", *ANSWERS)) + " | processor s |\n" + "| --- " * 9 + "|"
PROMPTS = 1_000


def rows(name: str, run: "zerosum.Run", spent: str) -> list[str]:
    """What images have right of captions that were trained on, and of those with pairs of words that were not."""
    source = run.recipe.data
    generator, lines = zerosum.load(run), []
    for part, about in (("test", "held-out pairs of words"), ("train", "training captions")):
        scenes = replace(source, part=part)
        captions = scenes.captions()[:PROMPTS]
        real = scenes.open().read(torch.arange(len(captions)))
        made = torch.from_numpy(generator.sample(len(captions), prompts=[*captions])).permute(0, 3, 1, 2)
        shown = {f"`{name}`": made, "of other captions": made.roll(1, 0), "real": real}
        for method, images in shown.items() if part == "test" else [(f"`{name}`", made)]:
            lines.append(f"| {name} | {method}, {about} | {answered(images, captions, source.cells)} | {spent} |")
            spent = ""
    return lines


def answered(images: torch.Tensor, captions: Sequence[str], cells: int) -> str:
    """The shares of images that have all of their captions right, and each part of them, with standard errors."""
    found = answers(images, captions, cells)
    parts = [getattr(found, part) for part in ANSWERS[:-1]] + [found.place[found.related]]
    return " | ".join(f"{_share(one)}" for one in (follows(images, captions, cells).right, *parts))


def _share(right: torch.Tensor) -> str:
    share = right.double().mean().item()
    return f"{100 * share:.1f} ± {100 * (share * (1 - share) / len(right)) ** 0.5:.1f} %"
