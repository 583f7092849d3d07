"""Which remedies help against which symptom, the best first, why, and after which paper."""

__all__ = ()

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from zerosum.diagnostics import rates
from zerosum.diagnostics import remedies as r

_GOODFELLOW = "Goodfellow et al. 2014, arXiv 1406.2661, section 3"
_ARJOVSKY = "Arjovsky and Bottou 2017, arXiv 1701.04862, section 3"
_MESCHEDER = "Mescheder, Geiger and Nowozin 2018, arXiv 1801.04406"
_GULRAJANI = "Gulrajani et al. 2017, arXiv 1704.00028"
_WGAN = "Arjovsky, Chintala and Bottou 2017, arXiv 1701.07875, section 3"
_HEUSEL = "Heusel et al. 2017, arXiv 1706.08500"
_KARRAS = "Karras et al. 2018, arXiv 1710.10196, section 3"
_PACGAN = "Lin et al. 2018, arXiv 1712.04086"
_UNROLLED = "Metz et al. 2017, arXiv 1611.02163"
_MSGAN = "Mao et al. 2019, arXiv 1903.05628"
_AVERAGE = "Yazici et al. 2019, arXiv 1806.04498"
_ADA = "Karras et al. 2020, arXiv 2006.06676"
_REED = "Reed et al. 2016, arXiv 1605.05396, algorithm 1"
_GIDEL = "Gidel et al. 2019, arXiv 1807.04740"
_KURACH = "Kurach et al. 2019, arXiv 1807.04720"
_BROCK = "Brock, Donahue and Simonyan 2019, arXiv 1809.11096"


@dataclass(frozen=True)
class Rule:
    """A remedy with its reasons.

    Attributes:
        remedy: gives the settings for a recipe.
        why: why it helps, in one sentence.
        source: the paper.
        share: share of the run's images within which it shows.
        safe: whether the settings can change in a running game: rates and stateless terms of D.
    """

    remedy: rates.Remedy
    why: str
    source: str
    share: float = 0.1
    safe: bool = False


_STEADY = Rule(
    r.steady,
    "Steady games have in common: a D no narrower than G, rates alike, a gradient penalty, and no momentum.",
    _KURACH,
    safe=True,
)
_NON_SATURATING = Rule(r.non_saturating, "log(1 - D(G(z))) is flat where D rejects a sample.", _GOODFELLOW)
_PENALTY = Rule(
    r.penalty,
    "A gradient penalty keeps D from being flat beyond a steep boundary, and draws the game to its equilibrium.",
    _MESCHEDER,
    safe=True,
)
_STRONGER = Rule(
    r.stronger_penalty,
    "A stronger penalty keeps D from running ahead, and damps the rotation of the game.",
    _MESCHEDER,
    safe=True,
)
_WEAKER = Rule(r.weaker_penalty, "Under too strong a penalty D stays flat and says little.", _MESCHEDER, safe=True)
_EVERY = Rule(
    r.penalty_at_every_update, "A penalty at every update leaves no gap in which D grows steep.", _MESCHEDER, safe=True
)
_SLOWER = Rule(
    partial(rates.scaled_rates, G=0.25, D=0.25),
    "Steps that are too long leave the equilibrium under any loss.",
    _MESCHEDER,
    safe=True,
)
_SLOWER_G = Rule(
    partial(rates.scaled_rates, G=0.3), "A slower G gives D time to find what is wrong.", _HEUSEL, safe=True
)
_SLOWER_D = Rule(
    partial(rates.scaled_rates, D=0.25), "A slower D leaves G a gradient to learn from.", _HEUSEL, safe=True
)
_FASTER_D = Rule(
    partial(rates.scaled_rates, D=4.0), "A faster D finds what is wrong with the samples.", _HEUSEL, safe=True
)
_BALANCED = Rule(
    rates.balanced_rates,
    "Two rates, D some three times as fast as G, converge where others circle.",
    _HEUSEL,
    safe=True,
)
_FEWER = Rule(partial(rates.updates_of_D, more=False), "With fewer updates D is less far ahead of G.", _HEUSEL)
_MORE = Rule(partial(rates.updates_of_D, more=True), "With more updates D comes nearer to its best response.", _WGAN)
_NO_MOMENTUM = Rule(rates.no_momentum, "Momentum carries the players past the equilibrium.", _GIDEL, safe=True)
_FALLING = Rule(rates.falling_rates, "Rates that fall end the circling around the equilibrium.", _MESCHEDER, share=0.5)
_AVERAGED = Rule(rates.longer_average, "A longer average of G evens out the circling.", _AVERAGE, share=0.2)
_NOISE = Rule(r.noise, "Noise on both sets makes them overlap, so that D is not flat between them.", _ARJOVSKY)
_AUGMENTED = Rule(r.augmentation, "Augmented samples are not memorised, and G does not learn them.", _ADA, share=0.2)
_SMALLER_D = Rule(partial(r.size_of_D, factor=0.5), "A smaller D memorises less.", _ADA, share=0.2)
_WIDER_D = Rule(partial(r.size_of_D, factor=2.0), "A wider D sees what this one misses.", _BROCK, share=0.2)
_MINIBATCH = Rule(r.minibatch, "D sees how much the samples of a batch differ.", _KARRAS)
_PACKING = Rule(r.packing, "D scores pairs of samples, and so sees a lack of variety.", _PACGAN)
_UNROLLING = Rule(r.unrolling, "G takes D's response into account, so a jump to one mode gains nothing.", _UNROLLED)
_MODE_SEEKING = Rule(r.mode_seeking, "G is rewarded for samples that differ as their latents do.", _MSGAN)
_NO_CLIPPING = Rule(
    r.clipping_to_penalty,
    "Clipped weights gather at the limit and make D too simple; a gradient penalty does not.",
    _GULRAJANI,
)
_TIGHTER = Rule(partial(r.clip, wide=True), "Too wide a limit lets D grow steep before it binds.", _WGAN)
_WIDER = Rule(partial(r.clip, wide=False), "Too tight a limit leaves D too flat for G to learn from.", _WGAN)
_MATCHING = Rule(r.matching_aware, "D sees real samples under wrong conditions, so it cannot ignore them.", _REED)
_KNOWN = Rule(r.always_known, "Conditions that are always given are learned sooner.", _REED)
_CONDITION = Rule(r.stronger_condition, "A heavier term makes the condition count against quality.", _REED, safe=True)

RULES = MappingProxyType(
    {
        "vanishing-gradients": (_STEADY, _NON_SATURATING, _PENALTY, _STRONGER, _NO_CLIPPING, _NOISE, _SLOWER_D, _FEWER),
        "weak-discriminator": (_STEADY, _FASTER_D, _WEAKER, _SLOWER_G, _WIDER_D, _MORE),
        "mode-collapse": (_STEADY, _PENALTY, _STRONGER, _BALANCED, _MINIBATCH, _PACKING, _UNROLLING, _MODE_SEEKING),
        "mode-hopping": (_STEADY, _PENALTY, _STRONGER, _NO_MOMENTUM, _BALANCED, _SLOWER_G, _PACKING, _UNROLLING),
        "oscillation": (_STEADY, _PENALTY, _STRONGER, _NO_MOMENTUM, _SLOWER, _BALANCED, _FALLING, _AVERAGED),
        "divergence": (_STEADY, _SLOWER, _PENALTY, _STRONGER, _NO_MOMENTUM),
        "overfitting-discriminator": (_AUGMENTED, _PENALTY, _STRONGER, _NOISE, _SMALLER_D, _SLOWER_D),
        "memorised-samples": (_AUGMENTED, _SMALLER_D, _NOISE),
        "dead-layers": (_STEADY, _SLOWER, _NO_MOMENTUM, _WIDER_D),
        "slack-penalty": (_STRONGER, _EVERY, _SLOWER_D),
        "saturated-clipping": (_STEADY, _NO_CLIPPING, _TIGHTER, _WIDER),
        "ignored-condition": (_MATCHING, _CONDITION, _KNOWN),
        "unbalanced-rates": (_STEADY, _BALANCED, _SLOWER_D, _SLOWER_G),
        "mean-image": (_STEADY, _FASTER_D, _WEAKER, _WIDER_D, _SLOWER_D),
        "data-trouble": (),  # no setting helps: see `zerosum data check`
    }
)
