"""What a game remembers, as named tensors."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Stateful(Protocol):
    """A part with memory of its own, such as an objective whose balance adapts."""

    def state_dict(self) -> dict[str, Tensor]:
        """Its memory, as named tensors."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take the memory back."""
        ...


def memory_of(part: Stateful, name: str) -> dict[str, Tensor]:
    """The memory of a part that goes by a name; raises `ValueError` where it is not made of tensors."""
    state = part.state_dict()
    for key, value in state.items():
        if not isinstance(value, Tensor):
            raise ValueError(
                f"the state_dict of {name} ({type(part).__name__}) should map names to tensors; "
                f"found {key}={value!r:.40}: write torch.tensor({key}) there"
            )
    return state


def load_memory(part: Stateful, name: str, state: dict[str, Tensor]) -> None:
    """Give a part that goes by a name its memory back; raises `ValueError` where it does not fit."""
    try:
        part.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"its memory of {name} does not fit: {str(error)!a:.100}") from None
