"""A symptom of a run: what goes wrong, with its evidence."""

__all__ = ["Symptom"]

from collections.abc import Mapping
from dataclasses import dataclass, field

CERTAIN = 0.5  # confidence from which on a symptom counts


@dataclass(frozen=True)
class Symptom:
    """What goes wrong in a run.

    Attributes:
        name: its name, such as `mode-collapse`.
        severity: how bad it is, in [0, 1].
        confidence: how sure it is, in [0, 1]; from 1/2 on the run counts as ill.
        since: images after which it was there without a break.
        evidence: the values that show it, by their names in the log.
        text: one sentence with the values.
    """

    name: str
    severity: float
    confidence: float
    since: int
    evidence: Mapping[str, float] = field(default_factory=dict)
    text: str = ""

    def __post_init__(self) -> None:
        for name in ("severity", "confidence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} of a symptom is in [0, 1]; found {getattr(self, name)}")

    @property
    def weight(self) -> float:
        """Severity times confidence, by which symptoms are sorted."""
        return self.severity * self.confidence

    @property
    def is_certain(self) -> bool:
        """Whether its confidence is at least 1/2."""
        return self.confidence >= CERTAIN
