"""Placeholder, in recipe text, for data that were given as a Python object."""

from dataclasses import dataclass

from zerosum.data.dataset import Dataset


@dataclass(frozen=True)
class InMemory:
    """Data given as a Python object, which recipe text cannot represent; pass it again to continue training.

    Args:
        name: the name of the data.
    """

    name: str

    def open(self) -> Dataset:
        """Always raises `ValueError`: the data have to be passed again from Python."""
        raise ValueError(f"this run's data ({self.name}) was given in Python: pass it again, as train(..., data=...)")
