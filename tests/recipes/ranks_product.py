"""Train the product's games with one process and with several, and save the results; for `test_ranks_product.py`.

    python ranks_product.py FOLDER COUNTS [whole]

COUNTS are the numbers of processes, as 1,2,3.

The parts are those of `test_product.py`, found where the library finds them. There are three kinds of game, all on the
same few samples, of which each rank takes its rows:

- every objective with its options, on MLPs with batch norm and minibatch discrimination, which couple samples;
- every term in D's and G's loss, where possible, lazily, in the first setup that supports it;
- every family of networks with a penalty; in the whole product with all its options, and under every condition.

Layers with their own randomness, such as dropout, differ between ranks, and are disabled here. ReLUs are replaced by
smooth functions, since rounding decides on which side of a kink a number falls. All is in float64: in float32 the
gradient norm of MMD, a difference of sums, differs by rounding alone, more on some processors than on others.
"""

import copy
import importlib.util
import itertools
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import avg_pool2d, silu

from zerosum.conditions import labels
from zerosum.game import Batch, ExponentialMovingAverage, Game, Player, Unrolled, own_rows
from zerosum.game.distributed import rank
from zerosum.networks.batch_norms import share_batch_norms
from zerosum.networks.layers import minibatch
from zerosum.networks.layers.noise import NoiseInjection
from zerosum.networks.minibatch import MinibatchDiscrimination
from zerosum.objectives import NonSaturating
from zerosum.terms import R1, AuxiliaryClass, DiscriminativeClass, Every

ROWS, STEPS = 12, 3  # rows divide by 2 and by 3 ranks, and each part by 2
ELSEWHERE = ("PatchNCE", "IdentityMapping", "KnownPatches", "MaximumLikelihood")  # for images as conditions, or texts


def product():
    """The module `test_product.py`, which holds the parts."""
    path = Path(__file__).with_name("test_product.py")
    spec = importlib.util.spec_from_file_location("parts_of_the_product", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Steady(torch.optim.SGD):
    """SGD with normalised gradients, so that games of all scales change by the same amount."""

    def step(self):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        length = torch.nn.utils.get_total_norm(gradients).clamp_min(1e-12)
        torch._foreach_div_(gradients, length)
        super().step()


def smooth(x, slope=0.0, inplace=False):
    return slope * x + (1 - slope) * silu(x)


def use_smooth_functions():
    """Build all networks with smooth functions."""
    nn.ReLU.forward = lambda self, x: smooth(x)
    nn.LeakyReLU.forward = lambda self, x: smooth(x, self.negative_slope)
    for name, module in [*sys.modules.items()]:
        if name.startswith("zerosum.networks."):
            for function in {"relu", "leaky_relu"} & vars(module).keys():
                setattr(module, function, smooth)
            if "max_pool2d" in vars(module):  # of two places nearly alike, rounding would choose
                module.max_pool2d = avg_pool2d
    torch.Tensor.relu = smooth  # of the network of `Perceptual`
    minibatch.EPSILON = 1e-3  # the root of the variance of samples that are alike


def still(network):
    """Return the network without its own randomness."""
    for module in network.modules():
        if isinstance(module, nn.Dropout | NoiseInjection):
            module.eval()
        if "mixing" in vars(module):
            module.mixing = 0.0
    return network


def built(setup, seed=0):
    """A setup's networks D and G, alike at every call and on every rank."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        networks = setup.networks()
    for network in networks:
        share_batch_norms(still(network))
    return networks


def Labels(count):
    """Labels, some of them unknown."""
    return labels.Labels(count, nullable=True)


def batches(setup):
    """This rank's rows of the setup's batches."""
    for whole in setup.batches():
        c = whole.c
        if setup.kind is Labels:
            c[: len(c) // 3] = c.max() + 1  # so that the number of known labels differs between ranks
        yield Batch(own_rows(whole.x), c if c is None else own_rows(c), whole.position)


def game(setup, latent, objective, d_terms=(), g_terms=(), **options):
    objective, terms = copy.deepcopy((objective, {"D": d_terms, "G": g_terms}))
    D, G = built(setup)
    players = {}
    for role, network in (("D", D), ("G", G)):
        own = [*network.parameters()]
        optimiser = options.pop(f"{role}_optimiser", Steady)(own, 0.05) if own else None
        players[role] = Player(role, network, optimiser, tuple(terms[role]))
    updates = int(players["D"].optimiser is not None)
    players["D"].terms = players["D"].terms if updates else ()
    ema = ExponentialMovingAverage(G, 30)
    rest = {"latent": latent, "ema": ema, "n_critic": updates, "images_total": ROWS * STEPS}
    return Game(**players, objective=objective, **rest, **options)


def played(made, setup):
    """Return all tensors of a game after its steps, by name, its losses, and the largest change of a weight of G."""
    tensors = {
        f"{role}.{name}": tensor
        for role, network in (("D", made.D.network), ("G", made.G.network), ("ema", made.ema.module))
        for name, tensor in network.state_dict().items()
    }
    before = {name: tensor.clone() for name, tensor in tensors.items()}
    stream, logs = batches(setup), []
    for _ in range(STEPS):
        logs.append(made.step(stream))
    found = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    found |= {f"log{i}.{name}": log[name].detach().clone() for i, log in enumerate(logs) for name in log if "/" in name}
    moved = [(found[name].double() - old.double()).abs().max() for name, old in before.items() if name[0] == "G"]
    return found | {"moved": torch.stack(moved).max()}


def placements(parts):
    """Yield for each role and term the first setup that supports it, if any."""
    ready, setups = {}, sorted(parts.SETUPS, key=lambda setup: (len(setup.shape), setup.way is not None))
    for role, term in itertools.product("DG", parts.TERMS):
        for setup in setups if type(term).__name__ not in ELSEWHERE else ():
            if str(setup) not in ready:
                ready[str(setup)] = opened(parts, setup)
            if ready[str(setup)] is None:
                continue
            sentence = refusal(ready[str(setup)], role, term)
            if not sentence:
                yield role, term, setup
            if not sentence or "_terms, not" in sentence:
                break


def opened(parts, setup):
    """A game at a setup, or None where networks refuse it or D has nothing to learn."""
    try:
        made = game(setup, parts.LATENT, NonSaturating())
    except ValueError:
        return None
    return (made, next(batches(setup))) if made.n_critic else None


def refusal(ready, role, term):
    made, batch = ready
    z, fake = made.generate(batch)
    player = made.D if role == "D" else made.G
    x, x_fake = batch.x.clone().requires_grad_(role == "D"), fake if role == "G" else fake.detach().requires_grad_()
    try:
        copy.deepcopy(term)(made.turn(player, batch, x, x_fake, z))
    except ValueError as error:
        return str(error)
    return ""


def games(parts, whole):
    """Return what to train, by name: networks, objective, terms and other options of the game."""
    plain = next(setup for setup in parts.SETUPS if parts.family(setup.D) == "MLP")
    comparing = replace(plain.D, norm="batch", minibatch=MinibatchDiscrimination(2, 2))
    plain = replace(plain, D=comparing, G=replace(plain.G, norm="batch"))
    variants = [variant for objective in parts.OBJECTIVES for variant in parts.variants(objective)]
    found = {f"objective {objective}": (plain, objective, {}) for objective in variants}
    unrolled = {"opponent": Unrolled(2), "D_optimiser": lambda own, rate: torch.optim.RMSprop(own, 1e-3, eps=0.1)}
    found |= {"unrolled": (plain, NonSaturating(), unrolled)}
    readers = {"Auxiliary": AuxiliaryClass(others=parts.CODE), "Discriminative": DiscriminativeClass()}
    for way, term in readers.items():
        setup = next(t for t in parts.SETUPS if str(t).startswith("MLP0") and f"{way}-Labels" in str(t))
        found[f"unlabelled {way}"] = (setup, NonSaturating(), {"d_terms": (term,), "g_terms": (term,)})
    for role, term, setup in placements(parts):
        found[f"{role} {term}"] = (setup, NonSaturating(), {f"{role.lower()}_terms": (Every(2, term),)})
    virtual = next(t for t in parts.SETUPS if t.way is None and vars(t.D).get("norm") == "virtual")
    found["virtual"] = (virtual, NonSaturating(), {"d_terms": (R1(),)})
    for setup in parts.SETUPS:
        if whole or (setup.whole and setup.way is None):
            found[f"setup {setup}"] = (setup, NonSaturating(), {"d_terms": (R1(),)})
    return found


def play(number, count, parts, todo, folder):
    """Play all games as one of `count` processes."""
    if count > 1:
        store = dist.FileStore(str(folder / f"meeting{count}"), count)
        dist.init_process_group("gloo", store=store, rank=number, world_size=count)
    found = {}
    for name, (setup, objective, options) in todo.items():
        try:
            made = game(setup, parts.LATENT, objective, **options)
        except ValueError:
            assert name.startswith("setup ")  # networks that refuse these samples or this way of conditioning
            continue
        found |= {f"{name}: {key}": tensor for key, tensor in played(made, setup).items()}
    if rank() == 0:
        save_file(found, folder / f"{count}.safetensors")
    if count > 1:
        dist.destroy_process_group()


def main(folder, counts, whole=""):
    """Play as each number of processes, all of them forks of this one, in which everything is loaded."""
    torch.set_num_threads(1)
    parts = product()
    parts.Setup.batches.__globals__["BATCH"] = ROWS
    torch.set_default_dtype(torch.float64)
    use_smooth_functions()
    todo = games(parts, bool(whole))
    for count in map(int, counts.split(",")):
        children = []
        for number in range(count):
            child = os.fork()
            if not child:
                play(number, count, parts, todo, Path(folder))
                os._exit(0)
            children.append(child)
        statuses = [os.waitpid(child, 0)[1] for child in children]
        if any(statuses):
            raise SystemExit(f"a rank of {count} failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
