"""Recipe text is not code: whatever else it holds is refused with one sentence, and nothing of it runs."""

import subprocess
import sys

import pytest

from zerosum import read
from zerosum.recipes.reader import LONGEST

ONLY = "recipe text holds literals and constructors only; found "
DEEP = "not recipe text|recipe text is nested too deeply"
HOSTILE = {
    "attribute": ("R1.__class__", ONLY),
    "attribute of a literal": ("().__class__.__bases__[0].__subclasses__()", ONLY),
    "method": ("'a'.upper()", ONLY),
    "builtin": ("print('ran')", "unknown class 'print'"),
    "import": ("__import__('os').system('true')", ONLY),
    "import called": ("__import__('os')", "unknown class '__import__'"),
    "open": ("open('file', 'w')", "unknown class 'open'"),
    "dunder field": ("R1(__class__=1)", "R1 has no field '__class__'"),
    "bare name": ("R1", r"R1 is a constructor: write R1\(\)"),
    "class passed": ("Every(2, R1)", r"R1 is a constructor: write R1\(\)"),
    "lambda": ("lambda: 1", ONLY),
    "lambda called": ("(lambda: print('ran'))()", ONLY),
    "list comprehension": ("[x for x in (1, 2)]", ONLY),
    "generator": ("(x for x in (1, 2))", ONLY),
    "f-string": ("f'{print(1)}'", ONLY),
    "f-string in a field": ("Recipe(name=f'{1}')", ONLY),
    "star": ("R1(*(1.0,))", "R1 takes gamma; found"),
    "star in a tuple": ("(*(1, 2),)", ONLY),
    "two stars": ("R1(**{'gamma': 1.0})", "R1 takes each field once, by name; found"),
    "walrus": ("(x := 1)", ONLY),
    "conditional": ("1 if True else 2", ONLY),
    "arithmetic": ("2 ** 10 ** 10", ONLY),
    "repetition": ("'a' * 10 ** 9", ONLY),
    "comparison": ("1 < 2", ONLY),
    "boolean": ("True and R1()", ONLY),
    "not": ("not True", ONLY),
    "subscript": ("(1, 2)[0]", ONLY),
    "dictionary": ("{'a': 1}", ONLY),
    "set": ("{1, 2}", ONLY),
    "bytes": ("b'a'", ONLY),
    "complex": ("1j", ONLY),
    "ellipsis": ("...", ONLY),
    "await": ("await x", ONLY),
    "yield": ("(yield)", ONLY),
    "empty": ("", "not recipe text"),
    "two values": ("R1() R1()", "not recipe text"),
    "statement": ("import os", "not recipe text"),
    "assignment": ("x = 1", "not recipe text"),
    "second line": ("R1()\nprint(1)", "not recipe text"),
    "semicolon": ("R1(); print(1)", "not recipe text"),
    "null byte": ("R1(\0)", "not recipe text"),
    "escape sequence": ("\x1b[31mR1()", "not recipe text"),
    "half a surrogate": ("'\ud800'", "recipe text is not valid text"),
    "huge number": ("1" * 5_000, "not recipe text"),
    "huge number in a field": ("R1(gamma=0x" + "f" * 400 + ")", "an integer in recipe text is at most"),
    "one megabyte": ("1" + " " * 1_000_000, f"recipe text has at most {LONGEST} characters; found 1000001"),
    "parentheses": ("(" * 10_000 + ")" * 10_000, DEEP),
    "tuples": ("(" * 10_000 + "," + ")" * 10_000, DEEP),
    "lists": ("[" * 10_000 + "]" * 10_000, DEEP),
    "calls": ("R1(" * 10_000 + ")" * 10_000, DEEP),
    "minus signs": ("-" * 10_000 + "1", DEEP),
    "nots": ("not " * 10_000 + "1", DEEP),
    "attributes": ("a" + ".b" * 40_000, DEEP),
    "subscripts": ("a" + "[0]" * 30_000, DEEP),
    "sums": ("1" + "+1" * 40_000, DEEP),
}


@pytest.mark.parametrize(("text", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_with_a_sentence(text, message, capfd):
    with pytest.raises(ValueError, match=message) as caught:
        read(text)
    sentence = str(caught.value)
    assert len(sentence) < 2_000
    assert sentence.isprintable(), "one line, which no terminal chokes on"
    assert capfd.readouterr() == ("", ""), "nothing ran, nothing was printed"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hinje()", r"unknown class 'Hinje': if it is yours, pass --use .* known= in Python\); or did you mean Hinge"),
        ("Nothing()", "unknown class 'Nothing': if it is yours, pass --use FILE.py"),
        ("R1(gama=1.0)", "R1 has no field 'gama'; did you mean gamma?"),
        ("R1(nothing_like_it=1.0)", "R1 has no field 'nothing_like_it'; there are gamma"),
        ("Hinge(margin=1.0)", "Hinge has no field 'margin'; it has none"),
        ("BoundaryEquilibrium(balance=1.0)", "BoundaryEquilibrium has no field 'balance'; there are gamma, rate"),
        ("R1(1.0, 2.0)", r"R1 takes gamma; found R1\(1.0, 2.0\)"),
        ("Hinge(1.0)", r"Hinge takes nothing; found Hinge\(1.0\)"),
        ("R1(1.0, gamma=2.0)", "R1 takes each field once, by name; found"),
        ("R1(gamma=1.0, gamma=2.0)", "R1 takes each field once, by name; found"),
        ("Every(n=2)", "Every: .*missing.*'term'"),
        ("R1(gamma='a')", "R1.gamma takes float; found 'a'"),
        ("R1(gamma=True)", "R1.gamma takes float; found True"),
        ("R1(gamma=None)", "R1.gamma takes float; found None"),
        ("R1(gamma=-1.0)", "gamma weighs a penalty and is at least 0; found -1.0"),
        ("R1(gamma=nan)", "gamma weighs a penalty and is at least 0; found nan"),
        ("Every(n=2.5, term=R1())", "Every.n takes int; found 2.5"),
        ("Every(n=True, term=R1())", "Every.n takes int; found True"),
        (
            "Every(n=2, term=Hinge())",
            r"^Hinge is not a Term: __call__\(turn\) is required, found no __call__ ",
        ),
        (
            "Every(n=2, term=WeightClip())",
            r"WeightClip is not a Term: __call__\(turn\) is required, found __call__\(network\)",
        ),
        ("Every(n=2, term=3)", "Every.term takes Term; found 3"),
        ("MLPGenerator(hidden=8)", r"MLPGenerator.hidden takes tuple\[int, ...\] \| None; found 8"),
        ("MLPGenerator(hidden=(8, 0.5))", r"MLPGenerator.hidden takes tuple\[int, ...\] \| None; found \(8, 0.5\)"),
        ("MLPDiscriminator(dropout=True)", "MLPDiscriminator.dropout takes float; found True"),
        ("MLPGenerator(activation='gelu')", "takes 'relu' or 'leaky' or 'tanh' or 'silu'; found 'gelu'"),
        ("Adam(betas=(0.5,))", r"Adam.betas takes tuple\[float, float\]; found \(0.5,\)"),
        (
            "DCGANDiscriminator(conditioning=Labels(3))",
            r"takes Concatenate \| Projection \| Auxiliary \| Discriminative; found Labels\(count=3, nullable=False\)",
        ),
        ("MMD(kernel=Cosine())", "Cosine is not a Kernel: "),
    ],
)
def test_errors_of_wrong_text_name_what_is_known(text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


def test_odd_text_draws_no_warning_from_the_parser(forks):
    """In a process of its own, where nothing filters warnings: standard error stays empty."""
    code = """
from zerosum import read
for text in ("1if 2else 3", '"\\\\d"', "1()"):
    try:
        read(text)
    except ValueError:
        pass
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == ""
