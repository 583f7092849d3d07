"""A stand-in, in recipe text, for data that were given as a Python object."""

from dataclasses import dataclass

from zerosum.data.dataset import Dataset


@dataclass(frozen=True)
class InMemory:
    """Data that a run was given as a Python object, which no text can hold; training needs it to be given again.

    Args:
        name: what the data called itself.
    """

    name: str

    def open(self) -> Dataset:
        """Always raises `ValueError`: only Python can give this data again."""
        raise ValueError(f"this run's data ({self.name}) was given in Python: pass it again, as train(..., data=...)")
