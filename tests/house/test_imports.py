"""Imports run one way: from a room to rooms on lower floors, and nothing heavy is loaded before it is needed."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest

FLOORS = (
    ("conditions", "distributions", "plots", "objectives", "features"),
    ("metrics", "data"),
    ("probes", "autoencoders"),
    ("game",),
    ("terms", "networks", "augment"),
    ("recipes",),
    ("runs",),
    ("latent",),
    ("evaluation",),
    ("diagnostics",),
    ("report",),
    ("training",),
    ("export",),
    ("applications",),
    ("bench",),
    ("cli", "studio"),
)
UPSTAIRS = {"cli", "studio"}  # programs, which hold no parts
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
TORCH_ONLY = ("objectives", "metrics")
FILES = {"metrics": {"safetensors"}}  # what a pure room keeps on disk is read and written by
LATE = {"matplotlib", "tensorboard", "huggingface_hub", "datasets", "transformers", "fastapi", "uvicorn"}
LATE |= {"onnx", "onnxscript", "onnxruntime"}
DISTRIBUTION = {"PIL": "pillow", "huggingface_hub": "huggingface-hub"}  # where the import goes by another name


def imports(tree: ast.AST) -> list[str]:
    """Dotted names of all that a tree imports, `module.name` for `from module import name`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
    return found


def early_imports(tree: ast.Module) -> list[str]:
    """Those that run when the module is imported."""
    late = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    statements = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) and n not in late]
    return [name for statement in statements for name in imports(ast.Module([statement], []))]


def arrow_is_allowed(room: str, other: str) -> bool:
    """Whether a room may import another; files beside the rooms (room '') may import all."""
    return room in ("", other) or FLOOR[other] < FLOOR[room]


def packages(names: list[str]) -> set[str]:
    """The third-party packages among imported names."""
    top = {name.split(".")[0] for name in names}
    return top - set(sys.stdlib_module_names) - {"zerosum", ""}


def rooms_of(names: list[str]) -> set[str]:
    """The rooms of zerosum among imported names."""
    return {name.split(".")[1] for name in names if name.startswith("zerosum.") and name.split(".")[1] in FLOOR}


def test_every_room_has_a_floor(root):
    rooms = {path.parent.name for path in (root / "src/zerosum").glob("*/__init__.py")}
    assert rooms <= set(FLOOR)


def test_the_architecture_page_lists_the_floors_and_the_packages(root):
    page = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    levels = " ".join(page.partition("goes up or sideways:")[2].partition(". `export`")[0].split())
    assert [tuple(re.findall(r"`(\w+)`", level)) for level in levels.split(" - ")] == [*FLOORS]
    rooms = [room for floor in FLOORS for room in floor if (root / "src/zerosum" / room / "__init__.py").exists()]
    assert re.findall(r"^  (\w+)/ ", page, re.MULTILINE) == rooms


def test_no_import_goes_up(library):
    assert [
        f"{source.path} imports {other}"
        for source in library
        for other in rooms_of(imports(source.tree))
        if not arrow_is_allowed(source.room, other)
    ] == []


def test_an_arrow_up_and_an_arrow_sideways_would_be_seen():
    assert not arrow_is_allowed("objectives", "game")
    assert not arrow_is_allowed("networks", "terms")
    assert not arrow_is_allowed("plots", "data")
    assert arrow_is_allowed("training", "recipes")
    assert rooms_of(imports(ast.parse("def f():\n    from zerosum.cli import main"))) == {"cli"}


def test_imports_are_absolute_and_name_the_module_that_defines_a_thing(library):
    """`from zerosum.data.dataset import Dataset`, not `from zerosum.data`: a room's names are for its users."""
    rooms = {f"zerosum.{room}" for room in set(FLOOR) - UPSTAIRS}
    modules = {source.module for source in library} - rooms
    assert [
        f"{source.path}: {name}"
        for source in library
        for name in imports(source.tree)
        if name.startswith(".") or (rooms_of([name]) and not {name, name.rpartition(".")[0]} & modules)
    ] == []


def test_private_names_stay_in_their_room(library):
    assert [
        f"{source.path}: {name}"
        for source in library
        for name in imports(source.tree)
        if rooms_of([name]) - {source.room} and any(part.startswith("_") for part in name.split("."))
    ] == []


@pytest.mark.parametrize("room", TORCH_ONLY)
def test_pure_rooms_import_torch_only(library, room):
    assert {
        f"{source.path}: {package}"
        for source in library
        if source.room == room
        for package in packages(imports(source.tree)) - {"torch"} - FILES.get(room, set())
        | (rooms_of(imports(source.tree)) - {room})
    } == set()


def test_heavy_and_optional_packages_are_imported_where_they_are_used(library):
    assert [
        f"{source.path}: {package}" for source in library for package in packages(early_imports(source.tree)) & LATE
    ] == []


def test_an_early_import_would_be_seen_and_a_late_one_passes():
    early = ast.parse("try:\n    import matplotlib.pyplot as plt\nexcept ImportError:\n    pass")
    late = ast.parse("class A:\n    def draw(self):\n        import matplotlib.pyplot as plt")
    for_the_checker = ast.parse("if TYPE_CHECKING:\n    from matplotlib.figure import Figure")
    assert packages(early_imports(early)) == {"matplotlib"}
    assert early_imports(late) == early_imports(for_the_checker) == []


def test_every_package_imported_is_declared(library, root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    wanted = project["dependencies"] + [need for name, needs in extras.items() if name != "dev" for need in needs]
    declared = " ".join(wanted).lower()
    used = {package for source in library for package in packages(imports(source.tree))}
    assert {package for package in used if DISTRIBUTION.get(package, package).lower() not in declared} == set()


def loaded_by(statement: str) -> str:
    """Which of the heavy packages a fresh interpreter holds after a statement."""
    code = f"import sys\n{statement}\nprint(*(m for m in ('torch', 'numpy', 'matplotlib', 'PIL') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def test_importing_zerosum_loads_nothing_heavy():
    assert loaded_by("import zerosum; zerosum.__version__") == ""
    assert "torch" in loaded_by("import zerosum; zerosum.Recipe").split()


def test_training_parts_load_no_matplotlib():
    assert "matplotlib" not in loaded_by("import zerosum.training.build, zerosum.recipes, zerosum.data")
