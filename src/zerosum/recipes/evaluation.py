"""Periodic evaluation during training, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Evaluation:
    """Evaluate a run's samples against its data at regular intervals and at its end.

    Training is bit-identical with and without it. The generator with the best score `best` is kept: a score counts as
    better if it is so by more than two standard errors of the difference.

    Attributes:
        metrics: names of metrics, as for `zerosum evaluate --metrics`.
        every: interval between evaluations, in training images.
        features: feature extractor, a built-in name as for `--features`; None for the default, inception.
        n: largest number of real and of generated samples; fewer are cheaper, with larger standard errors.
        seed: random seed of the samples.
        best: the score that selects the best generator, such as `fid` or `recall`; by default `kid` if it is among
            the metrics, otherwise no best generator is kept.
    """

    metrics: tuple[str, ...] = ("fid", "kid")
    every: int = 50_000
    features: str | None = None
    n: int = 2_048
    seed: int = 0
    best: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.metrics, tuple) or not self.metrics:
            raise ValueError(f"metrics is a tuple of names, like ('fid', 'kid'); found {self.metrics!r}")
        if self.every < 1:
            raise ValueError(f"every is the number of images between two evaluations, at least 1; found {self.every}")
        if self.n < 2:
            raise ValueError(f"n is the number of samples per set in an evaluation, at least 2; found {self.n}")
