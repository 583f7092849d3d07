"""The perceptual path length of a generator."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from zerosum.evaluation.measure import GROUPED, LOWER, MeasureInput, Needs, Score, ScoreInfo
from zerosum.metrics.path_length import trimmed_mean


@dataclass(frozen=True)
class PPL:
    """Change of the features per step in the latent of a trained generator (perceptual path length).

    Karras et al. 2019 (arXiv 1812.04948), equation 2: `perceptual_path_length`, trimmed to the percentiles of
    StyleGAN's code. Features replace the paper's LPIPS, so lengths are comparable for the same features only. FAKE is a
    run or a generator, not samples.

    Args:
        pairs: number of paths, at most the number of generated samples; the papers take 50,000 and more.
        epsilon: the step, relative to the path, in (0, 1].
        space: `z`, spherical paths between two latents, or `w`, straight ones between two mapped latents (StyleGAN).
    """

    name: ClassVar[str] = "ppl"
    needs: ClassVar[Needs] = Needs(fake=frozenset({"paths"}))
    gives: ClassVar[Mapping[str, ScoreInfo]] = MappingProxyType(
        {
            "ppl": ScoreInfo(
                LOWER,
                "Perceptual path length: squared change of the features per squared step in the latent; needs a run.",
                "sampling of the paths",
            )
        }
    )

    pairs: int = 10_000
    epsilon: float = 1e-4
    space: Literal["z", "w"] = "z"

    def __post_init__(self) -> None:
        if self.pairs < 2:
            raise ValueError(f"pairs counts paths, at least 2; found {self.pairs}")
        if not 0 < self.epsilon <= 1:
            raise ValueError(f"epsilon is a step relative to the path, in (0, 1]; found {self.epsilon}")
        if self.space not in ("z", "w"):
            raise ValueError(f"space is 'z' or 'w'; found {self.space!r}")

    @property
    def how(self) -> str:
        """The paths, the step, the trimming and the kind of error."""
        return (
            f"{self.pairs} paths in {self.space}, step {self.epsilon:g}, 1st to 99th percentile, images unrounded; "
            f"{GROUPED}"
        )

    def __call__(self, inputs: MeasureInput) -> Mapping[str, Score]:
        """The trimmed mean length."""
        assert inputs.fake.paths is not None
        pairs = min(self.pairs, inputs.fake.count)
        lengths = inputs.fake.paths.lengths(pairs, self.epsilon, self.space, inputs.seed)
        return {"ppl": inputs.score(trimmed_mean, lengths)}
