"""A simulated CUDA device: what a GPU does to the placement of tensors, without one.

Its tensors are on `cuda:0` for all that Python sees and compute on the CPU. Within `simulated_cuda()`, PyTorch's
functions with `device="cuda:0"` return such tensors, an operation on tensors of both devices fails as on a GPU, and
whatever would make the host wait for a GPU is noted (`torch.tensor(values, device="cuda:0")`, which would, fails). What
a GPU computes, how fast, and what its libraries support, it does not show.
"""

import contextlib
import traceback
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
TESTS = Path(__file__).parents[1]
# Operations whose result the host has to know before it can go on: a value, or the size of the result.
_READ = {
    aten._local_scalar_dense.default, aten.equal.default, aten.nonzero.default, aten.masked_select.default,
    aten._unique2.default, aten.unique_dim.default, aten.repeat_interleave.Tensor, aten.bincount.default,
}  # fmt: skip


class Remote(Tensor):
    """A tensor of the device: its values are `local`, on the CPU."""

    @staticmethod
    def __new__(cls, local):
        options = {"strides": local.stride(), "storage_offset": local.storage_offset(), "dtype": local.dtype}
        # To PyTorch's C++ it is a meta tensor: a build without CUDA has no functions for a CUDA tensor.
        made = Tensor._make_wrapper_subclass(cls, local.size(), device="meta", **options)
        made.local = local
        return made

    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_meta = property(lambda self: False)

    def tolist(self):
        return self.cpu().tolist()

    def __tensor_flatten__(self):
        return ["local"], None

    @staticmethod
    def __tensor_unflatten__(tensors, facts, size, stride):
        return Remote(tensors["local"])

    def __repr__(self):
        return f"Remote({self.local!r})"

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        raise AssertionError(f"{function} on a tensor of the simulated device, outside of it")


class Simulation(TorchDispatchMode):
    """Computes for the device, and notes in `waits` where the host would have waited for it."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        comes = any(isinstance(tensor, Remote) for tensor in tensors)
        goes = comes
        if kwargs.get("device") is not None:
            goes, kwargs["device"] = torch.device(kwargs["device"]).type in ("cuda", "meta"), CPU
        if kwargs.get("pin_memory"):
            kwargs["pin_memory"] = False
        self._check(function, tensors, args, kwargs, comes, goes)
        found = function(*tree_map(_local, args), **tree_map(_local, kwargs))
        if goes:
            found = tree_map(lambda leaf: Remote(leaf) if isinstance(leaf, Tensor) else leaf, found)
        return return_and_correct_aliasing(function, args, kwargs, found) if comes else found

    def _check(self, function, tensors, args, kwargs, comes, goes):
        """Note a wait of the host, and refuse an operation on two devices."""
        own = {isinstance(tensor, Remote) for tensor in tensors}
        blocking = not (kwargs.get("non_blocking") or (function is aten.copy_.default and True in args[2:]))
        copies = function is aten.copy_.default or (function is aten._to_copy.default and comes != goes)
        if copies and (len(own) == 2 or comes != goes) and (blocking or comes > goes):
            self._note(f"a copy {'from' if comes > goes else 'to'} the device")
        elif comes and (function in _READ or (function is aten.index.Tensor and _masks(args[1]))):
            self._note(function.name())
        elif not copies and comes and any(tensor.dim() and not isinstance(tensor, Remote) for tensor in tensors):
            raise RuntimeError(f"Expected all tensors to be on the same device: {function} found cuda:0 and cpu")

    def _note(self, what):
        frames = [frame for frame in traceback.extract_stack() if "zerosum" in frame.filename or _is_test(frame)]
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}: {frames[-1].line}" if frames else "?"
        self.waits.append(f"{what} at {place}")


def _local(leaf):
    return leaf.local if isinstance(leaf, Remote) else leaf


def _masks(indices):
    """Whether a tensor is indexed by a mask, or by indices on the other device."""
    given = [index for index in indices if index is not None]
    return any(index.dtype == torch.bool or not isinstance(index, Remote) for index in given)


def _is_test(frame):
    path = Path(frame.filename)
    return path.is_relative_to(TESTS) and path != Path(__file__)


class Event:
    """A `torch.cuda.Event` of a device that is always done."""

    def record(self):
        """Everything before it is done."""

    def synchronize(self):
        """No need to wait."""


@contextlib.contextmanager
def simulated_cuda():
    """Within it, there is the device `cuda:0`; returns the `Simulation`."""
    patched = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "get_device_name": lambda device=None: "simulated",
        "manual_seed": lambda seed: None,
        "synchronize": lambda device=None: None,
        "max_memory_allocated": lambda device=None: 0,
        "max_memory_reserved": lambda device=None: 0,
        "Event": Event,
    }
    no_cudnn = mock.patch.object(torch.backends.cudnn, "is_acceptable", lambda tensor: False)
    with mock.patch.multiple(torch.cuda, **patched), no_cudnn, Simulation() as simulation:
        yield simulation
