"""Which caption belongs to an image, by a network that learns it from real pairs alone."""

__all__ = ()

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from zerosum.conditions.text import TextEmbedding
from zerosum.features.classifier import BATCH, SEEN, ClassifierNetwork, fit, shifted_batches
from zerosum.game.random import stream

RIVALS = 99  # captions of other samples, among which an image's own is to be found
_SIZE, _TEMPERATURE = 64, 0.1


class Matcher(nn.Module):
    """Embeds images and captions so that those of a pair are alike.

    Args:
        shape: (C, H, W) of the images.
        words: size of the vocabulary.
        length: words of a caption, at most.
    """

    def __init__(self, shape: tuple[int, ...], words: int, length: int) -> None:
        super().__init__()
        self.images = ClassifierNetwork(shape, 2, _SIZE)
        self.captions = TextEmbedding(words, length, _SIZE, 1.0, 0.0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The embeddings `(B, 64)` of images, twice, as `fit` wants two outputs."""
        _, features = self.images(x)
        return features, features

    def loss(self, embedded: Tensor, captions: Tensor) -> Tensor:
        """The contrast of pairs in both directions (CLIP, Radford et al. 2021, arXiv 2103.00020, figure 3)."""
        logits = normalize(embedded) @ normalize(self.captions(captions)).T / _TEMPERATURE
        own = torch.arange(len(captions))
        same = (captions[:, None] == captions).all(2) & (own[:, None] != own)
        logits = logits.masked_fill(same, -torch.inf)
        return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def captions_found(
    real: Tensor, generated: Tensor, captions: Tensor, seed: int = 0, seen: int = SEEN
) -> tuple[Tensor, Tensor]:
    """Whether the caption of each image is nearer to it than 99 others: of real and of generated images, bool `(N,)`.

    The pairs are cut in halves, and images of one are read by a network that was trained on real pairs of the other.

    Args:
        real, generated: uint8 `(N, C, H, W)`, images of the same captions.
        captions: indices of words, int64 `(N, length)`, with 0 for padding.
        seed: seed of the halves, the networks and the rivals.
        seen: images that each network sees in training, counted with repetition.

    Raises:
        ValueError: where a half has fewer than 99 captions that differ from one of them.
    """
    order = torch.randperm(len(real), generator=stream(seed, "halves of captions"))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    right = torch.zeros(2, len(real), dtype=torch.bool)
    for learnt, read in (halves, halves[::-1]):
        rivals = _rivals(captions[read], seed)
        matcher = _trained(real[learnt], captions[learnt], int(captions.max()), seed, seen)
        embedded = normalize(matcher.captions(captions[read]))
        for row, images in enumerate((real, generated)):
            cosines = normalize(_embedded(matcher, images[read])) @ embedded.T
            own = cosines.diagonal()[:, None]
            right[row, read] = (cosines.gather(1, rivals) < own).all(1)
    return right[0], right[1]


def _trained(images: Tensor, captions: Tensor, words: int, seed: int, seen: int) -> Matcher:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        matcher = Matcher(tuple(images.shape[1:]), words, captions.shape[1])
    draw = stream(seed, "batches of captions")
    batches = shifted_batches(images, captions, torch.arange(len(images)), draw)
    fit(matcher, batches, max(seen // BATCH, 2), loss=matcher.loss)
    return matcher


@torch.no_grad()
def _embedded(matcher: Matcher, images: Tensor) -> Tensor:
    return torch.cat([matcher(part.float() / 127.5 - 1)[0] for part in torch.split(images, 512)])


def _rivals(captions: Tensor, seed: int) -> Tensor:
    """For each caption `(N, length)`, the places of 99 others, `(N, 99)`."""
    _, which = torch.unique(captions, dim=0, return_inverse=True)
    other = which[:, None] != which
    fewest = int(other.sum(1).min())
    if fewest < RIVALS:
        raise ValueError(
            f"r-precision finds a caption among {RIVALS} others, in each half of the pairs; found {fewest} others: use "
            f"more pairs"
        )
    rank = torch.rand(other.shape, generator=stream(seed, "rivals"))
    return rank.masked_fill(~other, -1.0).topk(RIVALS, 1).indices
