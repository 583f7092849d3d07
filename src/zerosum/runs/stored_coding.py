"""The coding of samples as stored in checkpoints and files of generators."""

__all__ = ()

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from zerosum.autoencoders.coding import LatentCoding
from zerosum.data.scaling import scaling_of
from zerosum.data.texts import TextCoding
from zerosum.protocols import Autoencoder, Coding


def restored_coding(facts: Mapping[str, Any], state: Mapping[str, Tensor], given: Autoencoder | None) -> Coding | None:
    """The coding with these facts and tensors, if any; `given` is an autoencoder that was passed in Python.

    Raises `ValueError` where they do not fit.
    """
    if "coding" not in facts:
        return None
    if "text" in facts["coding"]:
        coding, shape = TextCoding.restored(facts["coding"], state), tuple(facts["shape"])
        if shape[:-1] != (len(coding.glyphs), 1):
            raise ValueError(f"texts of {len(coding.glyphs)} symbols have the shape (V, 1, L); found {shape}")
        return coding
    scaling = scaling_of(facts, state)
    if scaling is not None:
        return scaling
    if not {"mean", "std"} <= state.keys():
        raise ValueError("its coding lacks the mean and std of latents")
    return LatentCoding.restored(facts["coding"], state, given)
