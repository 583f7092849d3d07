"""Games of two parameters, whose training is a vector field in the plane, to be drawn and analysed.

They are played by the objectives and terms of the library, so what is seen here is what these do in a real game.
"""

__all__ = ["TinyGame", "bilinear_game", "dirac_gan", "separated_game"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zerosum.game.player import Term
from zerosum.game.random import Draws
from zerosum.game.turn import Clock, Turn
from zerosum.objectives.logistic import NonSaturating
from zerosum.objectives.wasserstein import Wasserstein
from zerosum.protocols import Objective, WeightProjection

Samples = Callable[[Tensor], Tensor]
Score = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class TinyGame:
    """A game of a generator with one parameter theta and a discriminator with one parameter psi.

    Each player descends in its own loss, so training follows the field v = (-dL_G/dtheta, -dL_D/dpsi). Near a point
    where v is 0, the eigenvalues of its Jacobian tell what training does: with negative real parts it converges, for
    small rates; on the imaginary axis it circles, and with simultaneous steps leaves (Mescheder, Geiger and Nowozin
    2018, arXiv 1801.04406). All numbers are float64.

    Args:
        generate: maps theta, a scalar, to generated samples `(n, d)`.
        score: maps psi, a scalar, and samples `(n, d)` to scores `(n,)`.
        real: real samples `(n, d)`.
        objective: the losses of both players.
        d_terms: terms of D's loss, such as `R1(gamma=1)`.
        g_terms: terms of G's loss.
        d_after: projection of psi after each step, such as `WeightClip(0.5)`.
        consensus: gamma >= 0 of consensus optimisation: v - gamma grad |v|^2 / 2 in place of v (Mescheder, Nowozin and
            Geiger 2017, arXiv 1705.10461, equation 9).

    Raises:
        ValueError: for a negative `consensus`.
    """

    generate: Samples
    score: Score
    real: Tensor
    objective: Objective = NonSaturating()
    d_terms: tuple[Term, ...] = ()
    g_terms: tuple[Term, ...] = ()
    d_after: WeightProjection | None = None
    consensus: float = 0.0

    def __post_init__(self) -> None:
        if self.consensus < 0:
            raise ValueError(f"consensus is a weight, at least 0; found {self.consensus}")

    def field(self, points: Tensor | Sequence[Sequence[float]]) -> Tensor:
        """The direction v of training at points `(n, 2)` or one point `(2,)`: theta and psi; of the same shape."""
        given = torch.as_tensor(points, dtype=torch.float64)
        rows = given.reshape(-1, 2)
        return torch.stack([self._direction(row).detach() for row in rows]).reshape(given.shape)

    def jacobian(self, point: Sequence[float] = (0.0, 0.0)) -> Tensor:
        """The Jacobian `(2, 2)` of the field at a point: dv_i / dx_j, with x = (theta, psi)."""
        where = torch.tensor(point, dtype=torch.float64, requires_grad=True)
        rows = [torch.autograd.grad(v, where, retain_graph=True)[0] for v in self._direction(where)]
        return torch.stack(rows)

    def eigenvalues(self, point: Sequence[float] = (0.0, 0.0)) -> Tensor:
        """The eigenvalues of the Jacobian at a point, complex128 `(2,)`, by their imaginary parts, the lower first."""
        found: Tensor = torch.linalg.eigvals(self.jacobian(point))
        return found[torch.argsort(found.imag)]

    def trajectory(
        self, start: Sequence[float], steps: int, rate: float, alternating: bool = True, n_critic: int = 1
    ) -> Tensor:
        """The points of gradient descent, `(steps + 1, 2)`, from a start (theta, psi).

        Args:
            start: theta and psi.
            steps: number of steps; in each, D takes `n_critic` steps and G one.
            rate: learning rate of both.
            alternating: whether G sees what D has just learned, as in training; else both step from the same point.
            n_critic: steps of D in each.
        """
        at = torch.tensor(start, dtype=torch.float64)
        points = [at]
        for _ in range(steps):
            before, at = at, at.clone()
            for _ in range(n_critic):
                at[1] += rate * self.field(at)[1]
                at[1] = self._projected(at[1])
            at[0] += rate * self.field(at if alternating else before)[0]
            points.append(at)
        return torch.stack(points)

    def _direction(self, point: Tensor) -> Tensor:
        """v at one point, differentiable."""
        theta, psi = (part if part.requires_grad else part.detach().requires_grad_() for part in point)
        v = torch.stack([-_slope(self._loss(name, theta, psi), own) for name, own in (("G", theta), ("D", psi))])
        if not self.consensus:
            return v
        half = v.square().sum() / 2
        return v - self.consensus * torch.stack([_slope(half, own) for own in (theta, psi)])

    def _loss(self, name: str, theta: Tensor, psi: Tensor) -> Tensor:
        turn = self._turn(name, theta, psi)
        if name == "D":
            return self.objective.d_loss(turn.real.score, turn.fake.score) + sum(term(turn) for term in self.d_terms)
        scores = [turn.fake.score, turn.real.score] if self.objective.reads_real else [turn.fake.score]
        return self.objective.g_loss(*scores) + sum(term(turn) for term in self.g_terms)

    def _turn(self, name: str, theta: Tensor, psi: Tensor) -> Turn:
        fake, real = self.generate(theta), self.real.double().detach().requires_grad_()
        z, draws = torch.zeros(len(fake), 1, dtype=torch.float64), Draws(0, 0, 0, 1, fake.device)
        return Turn(
            player=name,
            D=lambda x: self.score(psi, x),
            G=lambda _: self.generate(theta),
            x=real,
            x_fake=fake,
            z=z,
            c=None,
            clock=Clock(),
            draws=draws,
        )

    def _projected(self, psi: Tensor) -> Tensor:
        if self.d_after is None:
            return psi
        holder = nn.ParameterList([nn.Parameter(psi.clone())])
        self.d_after(holder)
        projected: Tensor = holder[0].detach()
        return projected


def dirac_gan(
    objective: Objective = NonSaturating(),  # noqa: B008  # a frozen value
    *d_terms: Term,
    noise: float = 0.0,
    d_after: WeightProjection | None = None,
    consensus: float = 0.0,
) -> TinyGame:
    """The Dirac-GAN: real samples at 0, generated ones at theta, D(x) = psi x, with the equilibrium (0, 0).

    Mescheder et al. 2018 (arXiv 1801.04406), definition 2.1. Eigenvalues at the equilibrium: +-i/2 without a penalty
    for the logistic objectives, +-i for Wasserstein's; -gamma/2 +- sqrt(gamma^2/4 - 1/4) with `R1(gamma)`;
    -noise^2/4 +- sqrt(noise^4/16 - 1/4) with instance noise; -consensus/4 +- i/2 with consensus optimisation.

    Args:
        objective: the losses of both players.
        d_terms: terms of D's loss.
        noise: standard deviation of instance noise on real and generated samples, which lie at +-noise with equal
            weights: the distribution of two points with the mean and the variance of a Gaussian.
        d_after: projection of psi after each step.
        consensus: weight of consensus optimisation.

    Raises:
        ValueError: for negative noise or consensus.
    """
    if noise < 0:
        raise ValueError(f"noise is a standard deviation, at least 0; found {noise}")
    places = torch.tensor([[-noise], [noise]] if noise else [[0.0]], dtype=torch.float64)
    return TinyGame(
        generate=lambda theta: theta + places,
        score=lambda psi, x: psi * x[:, 0],
        real=places,
        objective=objective,
        d_terms=d_terms,
        d_after=d_after,
        consensus=consensus,
    )


def bilinear_game(consensus: float = 0.0) -> TinyGame:
    """The bilinear game, whose value is theta psi but for its sign: the Dirac-GAN of Wasserstein's objective.

    Simultaneous steps leave the equilibrium (0, 0) at any rate: |x| grows by sqrt(1 + rate^2) each; alternating ones
    circle.
    """
    return dirac_gan(Wasserstein(), consensus=consensus)


def separated_game(objective: Objective, distance: float = 4.0) -> TinyGame:
    """The game where gradients vanish: real samples at 0, generated ones at distance + theta, D(x) = -psi x.

    The better D separates them, the larger psi distance. Under `Minimax` G's gradient is psi sigma(-psi distance),
    gone with the certainty of D; under `NonSaturating` it is psi sigma(psi distance) (Goodfellow et al. 2014, section
    3).
    """
    return TinyGame(
        generate=lambda theta: (distance + theta).reshape(1, 1),
        score=lambda psi, x: -psi * x[:, 0],
        real=torch.zeros(1, 1, dtype=torch.float64),
        objective=objective,
    )


def _slope(value: Tensor, by: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(value, by, create_graph=True, materialize_grads=True)
    return found
