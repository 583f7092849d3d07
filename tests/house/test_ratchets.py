"""Limits that only tighten: they keep every part small enough to be read at one sitting.

Each rule is a function from a syntax tree to the offences in it, and each is shown here one offence that it must see.
"""

import ast
import importlib
import statistics
from collections.abc import Iterator
from types import ModuleType

import pytest
from scripts.stubs import rooms

from zerosum._rooms import homes
from zerosum.evaluation.measure import measure_kinds
from zerosum.features.extractor import extractor_kinds
from zerosum.latent.attribute import all_formulas
from zerosum.recipes.named_recipes import catalogue
from zerosum.recipes.reader import vocabulary

LINES, FUNCTION_LINES, ARGUMENTS, OPTIONS, TURN_FIELDS = 300, 60, 8, 12, 10
MEDIAN_LINES = 85  # of the library's files, without the packages' own
NAMES = 15  # that a room gives besides recipes and what recipes are made of; these rooms give more:
MORE_NAMES = {"networks": 29, "data": 19, "game": 29, "evaluation": 34, "bench": 18, "metrics": 38}
MORE_NAMES |= {"latent": 42, "diagnostics": 19}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def long_functions(tree: ast.Module) -> Iterator[str]:
    for function in functions(tree):
        lines = function.end_lineno - function.lineno + 1
        if lines > FUNCTION_LINES:
            yield f"{function.name} has {lines} lines, more than {FUNCTION_LINES}"


def many_arguments(tree: ast.Module) -> Iterator[str]:
    """Functions of many arguments; those of a verb of the command line are its options, of which there may be more."""
    for function in functions(tree):
        a = function.args
        what = {x.arg: ast.unparse(x.annotation or ast.Constant("")) for x in (*a.posonlyargs, *a.args, *a.kwonlyargs)}
        count = len([n for n, kind in what.items() if n not in ("self", "cls") and "typer.Argument(" not in kind])
        is_verb = any("typer." in ast.unparse(argument.annotation) for argument in a.args if argument.annotation)
        most = OPTIONS if is_verb else ARGUMENTS
        if count > most:
            yield f"{function.name} takes {count} arguments, more than {most}"


def open_keywords(tree: ast.Module) -> Iterator[str]:
    for function in functions(tree):
        if function.args.kwarg and not function.name.startswith("_"):
            yield f"{function.name} takes **{function.args.kwarg.arg}, so a misspelt keyword passes unseen"


def bare_excepts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"a bare except in line {node.lineno}"


def probing(tree: ast.Module) -> Iterator[str]:
    for call in calls(tree):
        if isinstance(call.func, ast.Name) and call.func.id == "hasattr":
            yield f"hasattr in line {call.lineno}: say by a protocol what a value can do"


def code_from_data(tree: ast.Module) -> Iterator[str]:
    """Whatever turns data into code: eval, exec, compile, pickle, and loading that unpickles."""
    pickles = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            names = [module or ""] + [alias.name for alias in node.names]
            if pickles & {name.split(".")[0] for name in names}:
                yield f"an import of pickle in line {node.lineno}"
    for call in calls(tree):
        keywords = {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
        name = ast.unparse(call.func)
        if name in ("eval", "exec", "compile", "__import__"):
            yield f"{name} in line {call.lineno}"
        if name == "torch.load" and keywords.get("weights_only") is not True:
            yield f"torch.load without weights_only=True in line {call.lineno}"
        if name.endswith(".load") and keywords.get("allow_pickle") is True:
            yield f"allow_pickle=True in line {call.lineno}"


def registries(tree: ast.Module) -> Iterator[str]:
    """Containers of a module that its functions fill: a list of parts that code elsewhere must keep in step."""
    mutators = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "clear", "remove"}
    containers = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    }
    for function in functions(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                yield f"{function.name} writes the global {', '.join(node.names)}"
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                owner: ast.expr = node.value
            elif isinstance(node, ast.Attribute) and node.attr in mutators:
                owner = node.value
            else:
                continue
            if isinstance(owner, ast.Name) and owner.id in containers:
                yield f"{function.name} changes {owner.id}, which belongs to the module"


RULES = {
    long_functions: "def f():\n" + "    x = 1\n" * FUNCTION_LINES,
    many_arguments: "def f(self, a, b, c, d, e, /, f, g, h, *, i): ...",
    open_keywords: "class A:\n    def f(self, **options): ...",
    bare_excepts: "try:\n    pass\nexcept:\n    pass",
    probing: "hasattr(x, 'y')",
    code_from_data: "torch.load(path)",
    registries: "PARTS = {}\ndef register(name, part):\n    PARTS[name] = part",
}
OFFENCES = [
    *RULES.items(),
    (many_arguments, "def verb(a: Annotated[int, typer.Option()], b, c, d, e, f, g, h, i, j, k, l, m): ..."),
    (code_from_data, "torch.load(path, weights_only=False)"),
    (code_from_data, "import pickle"),
    (code_from_data, "from pickle import loads"),
    (code_from_data, "np.load(path, allow_pickle=True)"),
    (code_from_data, "eval(text)"),
    (code_from_data, "exec(text)"),
    (registries, "PARTS: list[type] = []\ndef part(kind):\n    PARTS.append(kind)"),
    (registries, "def f():\n    global state\n    state = 1"),
]
CUSTOMS = [
    (
        code_from_data,
        "model.eval()\nre.compile(x)\ntorch.load(path, weights_only=True)\nnp.load(path, allow_pickle=False)",
    ),
    (registries, "KNOWN = ('a', 'b')\ndef f():\n    found = []\n    found.append(KNOWN[0])"),
    (open_keywords, "def _private(**kwargs): ..."),
    (long_functions, "def f():\n" + "    x = 1\n" * (FUNCTION_LINES - 1)),
    (many_arguments, "def f(self, a, b, c, d, e, f, g, *, h): ..."),
    (many_arguments, "def verb(a: Annotated[int, typer.Option()], b, c, d, e, f, g, h, i): ..."),
    (
        many_arguments,
        "def verb(x: Annotated[int, typer.Argument()], a: typer.Option, b, c, d, e, f, g, h, i, j, k, l): ...",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_is_kept(rule, everything):
    # A test may make a hostile file to show that it is refused, and pass on any keyword.
    free = ("tests/",) if rule in (code_from_data, open_keywords) else ()
    held = [source for source in everything if not source.path.startswith(free)]
    assert [f"{source.path}: {offence}" for source in held for offence in rule(source.tree)] == []


@pytest.mark.parametrize(("rule", "text"), OFFENCES)
def test_rule_sees_an_offence(rule, text):
    assert list(rule(ast.parse(text)))


@pytest.mark.parametrize(("rule", "text"), CUSTOMS)
def test_rule_lets_good_custom_pass(rule, text):
    assert list(rule(ast.parse(text))) == []


def test_files_are_short(everything):
    long = {source.path: len(source.text.splitlines()) for source in everything}
    assert {path: lines for path, lines in long.items() if lines > LINES} == {}


def test_half_of_the_files_are_shorter_than_a_screen_or_two(library):
    lengths = [len(source.text.splitlines()) for source in library if not source.path.endswith("__init__.py")]
    assert statistics.median(lengths) <= MEDIAN_LINES


def tools(room: ModuleType) -> list[str]:
    """The public names of a room but for parts, of which there may be any number: recipes, metrics, attributes."""
    kinds = (*catalogue().values(), *measure_kinds().values(), *extractor_kinds().values())
    parts = {part.__name__ for part in kinds} | {*all_formulas()}
    return sorted(homes(room).keys() - vocabulary().keys() - parts)


@pytest.mark.parametrize("room", rooms(), ids=lambda room: room.__name__)
def test_a_room_gives_few_names(room):
    """A new name here is one that users shall call; a helper gets an underscore, or its module says `__all__`."""
    assert len(tools(room)) <= MORE_NAMES.get(room.__name__.removeprefix("zerosum."), NAMES), tools(room)


def test_constructors_and_recipes_are_not_counted_and_other_names_are():
    assert tools(importlib.import_module("zerosum.objectives")) == ["Kernel"]
    assert {"catalogue", "read"} <= {*tools(importlib.import_module("zerosum.recipes"))}
    assert "dcgan" not in tools(importlib.import_module("zerosum.recipes"))


def deep_classes(trees: list[ast.Module]) -> list[str]:
    """Classes that stand more than one deep on classes of ours; protocols and outside bases count for nothing."""
    bases: dict[str, set[str]] = {}
    protocols = {"Protocol"}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                names = {ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases}
                bases.setdefault(node.name, set()).update(names)
                if "Protocol" in names:
                    protocols.add(node.name)

    def depth(name: str) -> int:
        return max((1 + depth(base) for base in bases[name] - protocols if base in bases), default=0)

    return [name for name in bases if depth(name) > 1]


def test_inheritance_is_at_most_one_deep(library):
    assert deep_classes([source.tree for source in library]) == []


def test_deep_inheritance_would_be_seen():
    protocol = "class P(Protocol): ...\n"
    assert deep_classes([ast.parse("class A(nn.Module): ...\nclass B(A): ...\nclass C(B): ...")]) == ["C"]
    assert deep_classes([ast.parse(protocol + "class A(P): ...\nclass B(A, P): ...")]) == []


def test_a_turn_is_no_grab_bag(library):
    (turn,) = [
        node
        for source in library
        if source.module == "zerosum.game.turn"
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Turn"
    ]
    assert 0 < sum(isinstance(statement, ast.AnnAssign) for statement in turn.body) <= TURN_FIELDS


def test_no_file_names_a_machine(root, everything):
    """Texts that only hold on the machine where they were written: absolute paths of homes and workplaces."""
    places = [f"/{name}/" for name in ("work", "home", "root", "Users", "mnt")]
    names = ("*.md", "*.toml", "*.txt", "Makefile", "docs/**/*.md", "src/**/*.md", "benchmarks/**/*.md", ".ci/run")
    texts = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for n in names for path in root.glob(n)
    }
    texts |= {source.path: source.text for source in everything}
    assert [f"{path}: {place}" for path, text in texts.items() for place in places if place in text] == []
