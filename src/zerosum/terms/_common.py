"""What several terms ask of a turn, and how they refuse one."""

from torch import Tensor, nn

from zerosum.game.precision import at_least_float32
from zerosum.game.turn import Turn
from zerosum.protocols import Stateful


def check_weight(name: str, value: float) -> None:
    """Raise `ValueError` for a weight below 0, or one that is no number."""
    if not value >= 0:
        raise ValueError(f"{name} weighs a penalty and is at least 0; found {value}")


def check_forgetful(term: object, *parts: object) -> None:
    """Raise `ValueError` for a part with memory inside a term, which no checkpoint would hold."""
    for part in parts:
        if isinstance(part, Stateful):
            kind = type(term).__name__
            raise ValueError(f"{kind} keeps no memory for its parts: choose one without; found {part!r}")


def check_player(turn: Turn, player: str, term: object) -> None:
    """Raise `ValueError` where a term meets the move of the player that it is not for."""
    if turn.player != player:
        right, wrong = ("d_terms", "g_terms") if player == "D" else ("g_terms", "d_terms")
        raise ValueError(f"{type(term).__name__} is a term of {player}: put it among {right}, not {wrong}")


def shown(value: Tensor | None, what: str, term: object) -> Tensor:
    """What a judgement shows besides its score, in float32 at least.

    Raises `ValueError` for None, which stands for a discriminator without such an output.
    """
    if value is None:
        raise ValueError(f"{type(term).__name__} reads D's {what}, and this D shows none: choose one that does")
    return at_least_float32(value)


def generated(turn: Turn, z: Tensor) -> Tensor:
    """What G makes of other latents `(B, size)`, under this turn's condition."""
    x: Tensor = turn.G(z) if turn.c is None else turn.G(z, turn.c)
    return x


def own_network(turn: Turn) -> nn.Module:
    """The network of the player whose move it is; raises `ValueError` for a callable whose weights cannot be seen."""
    network = turn.D if turn.player == "D" else turn.G
    if not isinstance(network, nn.Module):
        raise ValueError(f"terms on weights need {turn.player} to be an nn.Module; found a {type(network).__name__}")
    return network


def own_parameters(turn: Turn) -> dict[str, nn.Parameter]:
    """The parameters that learn of the player whose move it is, by name."""
    return {name: p for name, p in own_network(turn).named_parameters() if p.requires_grad}
