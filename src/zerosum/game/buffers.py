"""Buffers of networks: saved, and given back."""

__all__ = ()

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class SavedBuffer:
    """A buffer of a module and a copy of its values: a buffer may be changed in place, or assigned again.

    Attributes:
        module, name: where it is.
        buffer: the tensor.
        values: its values, when it was saved.
    """

    module: nn.Module
    name: str
    buffer: Tensor
    values: Tensor

    @property
    def is_assigned_again(self) -> bool:
        """Whether the module has another tensor now."""
        return self.module.get_buffer(self.name) is not self.buffer

    def restore(self) -> None:
        """Give the module its tensor with its values again."""
        setattr(self.module, self.name, self.buffer)
        self.buffer.detach().copy_(self.values)


def saved_buffers(*networks: nn.Module) -> list[SavedBuffer]:
    """All buffers of networks."""
    return [
        SavedBuffer(module, name, buffer, buffer.detach().clone())
        for network in networks
        for module in network.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
