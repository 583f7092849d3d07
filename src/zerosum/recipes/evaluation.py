"""Scores from time to time in a run, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Evaluation:
    """Score a run's samples against its data every so many images, and at its end.

    What is learned stays the same to the last bit. The generator is kept as it was when the score `best` was best: one
    counts as better if it is so by more than two standard errors of the difference.

    Attributes:
        metrics: what to score, as `zerosum evaluate --metrics` takes it.
        every: images from one evaluation to the next.
        features: feature extractor, by a name of ours that `--features` takes; None for the usual, inception.
        n: samples of each side, at most: few keep it cheap, and the errors tell what that costs.
        seed: which samples.
        best: the score by which the best generator is kept, such as `fid` or `recall`; by default `kid` where it is
            among the metrics, and none is kept otherwise.
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
            raise ValueError(f"every counts the images between two evaluations, at least 1; found {self.every}")
        if self.n < 2:
            raise ValueError(f"n counts the samples of each side of an evaluation, at least 2; found {self.n}")
