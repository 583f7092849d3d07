"""What was measured of a direction."""

__all__ = ["Card"]

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, eq=False)
class Card:
    """What one unit of a direction does, measured on samples that it was not found on.

    Attributes:
        attribute: the attribute that it is for; empty for a direction that was found unaided.
        unit: one standard deviation of the attribute over the data, in its own unit; 0 without attribute.
        of: what the standard deviations are of: `data`, or `samples` where the data cannot be read.
        shift: mean change of the attribute per unit, in standard deviations, between -1 and 1.
        rank: mean over samples of the rank correlation (Spearman) of strength and attribute, from -2 to 2.
        leakage: mean change of each other attribute per unit, in standard deviations, by name.
        removed: the attributes whose directions it was made orthogonal to.
        kept: share of samples whose class is predicted as asked for at -1 and 1 (without a conditional generator: as
            without the edit), by a classifier that did not take part in finding it; None without classes.
        kept_before: the same share without an edit; None without classes, and 1 for unconditional generators.
        low: the strength down to which samples stay among the samples, at least -3.
        high: the strength up to which they do, at most 3.
        limit: what ends it: `score`, `radius`, or empty if both ends are at 3.
        samples: number of samples.
        without_value: share of edited samples that have no value of an attribute.
    """

    attribute: str
    unit: float
    of: str
    shift: float
    rank: float
    leakage: Mapping[str, float]
    removed: tuple[str, ...]
    kept: float | None
    kept_before: float | None
    low: float
    high: float
    limit: str
    samples: int
    without_value: float

    @property
    def facts(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @staticmethod
    def restored(facts: Mapping[str, Any]) -> "Card":
        """The card of JSON values; raises `ValueError` for anything else."""
        names = [field.name for field in fields(Card)]
        if not isinstance(facts, Mapping) or {*facts} != {*names}:
            raise ValueError(f"a card has {', '.join(names)}; found {facts!a:.120}")
        given = dict(facts)
        given["removed"] = tuple(given["removed"])
        numbers = ["unit", "shift", "rank", "low", "high", "samples", "without_value"]
        numbers += [name for name in ("kept", "kept_before") if given[name] is not None]
        values = [*(given[name] for name in numbers), *given["leakage"].values()]
        texts = [given[name] for name in ("attribute", "of", "limit")] + [*given["removed"], *given["leakage"]]
        if not all(type(v) in (int, float) and math.isfinite(v) for v in values):
            raise ValueError("the numbers of a card are finite")
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("the names on a card are texts")
        return Card(**given)

    def lines(self, name: str) -> list[str]:
        """The card as text, a line for each fact."""
        found = [f"{name}, measured on {self.samples:,} samples; standard deviations of the {self.of}"]
        if self.attribute:
            found.append(
                f"  one unit   {self.attribute} {self.shift:+.2f} (1 is {self.unit:.3g}); rank {self.rank:.3f}"
            )
        order = sorted(self.leakage, key=lambda other: -abs(self.leakage[other]))
        moved = ", ".join(f"{other} {self.leakage[other]:+.2f}" for other in order)
        found.append(f"  {'leakage' if self.attribute else 'one unit'}    {moved or 'no other attribute'}")
        if self.removed:
            found.append(f"  orthogonal to {', '.join(self.removed)}")
        if self.kept is not None:
            before = f", {self.kept_before:.1%} without the edit" if self.kept_before is not None else ""
            found.append(f"  class kept {self.kept:.1%}{before}")
        ends = {"": "as far as measured", "score": "then D's score falls", "radius": "then it leaves the prior"}
        found.append(f"  range      {self.low:+.1f} to {self.high:+.1f}, {ends.get(self.limit, self.limit)}")
        return found
