"""Helpers and checks that several terms share."""

from torch import Tensor, nn

from zerosum.game.precision import at_least_float32
from zerosum.game.turn import Turn
from zerosum.protocols import Stateful


def check_weight(name: str, value: float) -> None:
    """Raise `ValueError` for a weight below 0 or NaN."""
    if not value >= 0:
        raise ValueError(f"{name} weighs a penalty and is at least 0; found {value}")


def check_stateless(term: object, *parts: object) -> None:
    """Raise `ValueError` for a part with a state inside a term, since it would not be saved in checkpoints."""
    for part in parts:
        if isinstance(part, Stateful):
            kind = type(term).__name__
            raise ValueError(f"{kind} needs parts without a state, as it would not be saved: found {part!r}")


def check_player(turn: Turn, player: str, term: object) -> None:
    """Raise `ValueError` for a term among those of the wrong player."""
    if turn.player != player:
        right, wrong = ("d_terms", "g_terms") if player == "D" else ("g_terms", "d_terms")
        raise ValueError(f"{type(term).__name__} is a term of {player}: put it among {right}, not {wrong}")


def required(value: Tensor | None, what: str, term: object) -> Tensor:
    """An output of D other than its score, in float32 at least.

    Raises `ValueError` for None, which stands for a discriminator without such an output.
    """
    if value is None:
        raise ValueError(f"{type(term).__name__} needs a discriminator that returns {what}")
    return at_least_float32(value)


def generated(turn: Turn, z: Tensor) -> Tensor:
    """The samples that G generates from other latents `(B, size)`, under this turn's condition."""
    return at_least_float32(turn.G(z) if turn.c is None else turn.G(z, turn.c))


def own_network(turn: Turn) -> nn.Module:
    """The network of the player that is updated; raises `ValueError` for a callable that is not a module."""
    network = turn.D if turn.player == "D" else turn.G
    if not isinstance(network, nn.Module):
        raise ValueError(f"terms on weights need {turn.player} to be an nn.Module; found a {type(network).__name__}")
    return network


def own_parameters(turn: Turn) -> dict[str, nn.Parameter]:
    """The trainable parameters of the player that is updated, by name."""
    return {name: p for name, p in own_network(turn).named_parameters() if p.requires_grad}


def unlike(c: Tensor) -> Tensor:
    """Which of conditions `(B, ...)` differ from which, bool `(B, B)`."""
    rows = c.flatten(1) if c.dim() > 1 else c.view(-1, 1)
    return (rows[:, None] != rows[None]).any(2)
