"""Loading weights from a file into a network, with checks of names and shapes."""

__all__ = ()

from collections.abc import Mapping

from torch import Tensor, nn

from zerosum._arrays import described


def load_fitting(module: nn.Module, tensors: Mapping[str, Tensor], whose: str) -> None:
    """Load all tensors of a module, by name.

    Raises `ValueError`, before anything is changed, with the first that is missing, unexpected, or of another shape or
    kind; `whose` begins the sentence.
    """
    own = module.state_dict()
    for name, mine in own.items():
        if name not in tensors:
            raise ValueError(f"{whose} does not fit: it lacks {name}")
        theirs = tensors[name]
        if theirs.shape != mine.shape or theirs.is_floating_point() != mine.is_floating_point():
            raise ValueError(f"{whose} does not fit: {name} is {described(theirs)} there and {described(mine)} here")
    foreign = [name for name in tensors if name not in own]
    if foreign:
        raise ValueError(f"{whose} does not fit: it holds {foreign[0]!a:.80}, which is none of the tensors here")
    module.load_state_dict(dict(tensors))
