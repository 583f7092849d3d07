"""Rooms show what is in their files: parts, modules and subfolders, each loaded when it is first asked for."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from tests.forked import python

import zerosum
import zerosum.objectives
from zerosum._rooms import Room, homes, public, submodules

OPEN = "from zerosum import _rooms\n_rooms.open_room(__name__)"
PART = "class {name}:\n    pass\n"


@pytest.fixture
def room(tmp_path, monkeypatch):
    """Make a room of files, given by their paths, that can be imported by the name `attic`."""

    def built(**files):
        for path, text in {"attic/__init__": OPEN, **files}.items():
            file = tmp_path / f"{path}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        importlib.invalidate_caches()
        return importlib.import_module("attic")

    monkeypatch.syspath_prepend(tmp_path)
    yield built
    for name in [name for name in sys.modules if name.split(".")[0] == "attic"]:
        del sys.modules[name]


def test_a_room_has_the_parts_of_its_files_and_of_its_subfolders(room):
    attic = room(
        **{
            "attic/chest": PART.format(name="Chest") + "def empty(): ...\ndef _lock(): ...\nSIZE = 3\n",
            "attic/boxes/__init__": '"""Boxes."""',
            "attic/boxes/tin": PART.format(name="Tin"),
            "attic/boxes/_foil": PART.format(name="Foil"),
        }
    )
    assert homes(attic) == {"Chest": "attic.chest", "Tin": "attic.boxes.tin", "empty": "attic.chest"}
    assert attic.__all__ == ["Chest", "Tin", "empty"]
    assert dir(attic) == ["Chest", "Tin", "boxes", "chest", "empty"]
    assert attic.Tin.__module__ == "attic.boxes.tin"
    assert {*public("attic")} == {*attic.__all__}


def test_a_room_in_a_room_keeps_its_names(room):
    attic = room(
        **{
            "attic/nook/__init__": OPEN,
            "attic/nook/stool": PART.format(name="Stool"),
        }
    )
    assert homes(attic) == {}
    assert submodules(attic) == ["nook"]
    assert attic.nook.Stool.__module__ == "attic.nook.stool"


def test_a_module_may_list_what_it_gives_to_its_room(room):
    attic = room(
        **{
            "attic/trunk": '__all__ = ["Trunk", "LARGEST"]\nLARGEST = 9\nclass Trunk: ...\nclass Hinge: ...\n',
            "attic/tools": "__all__ = ()\ndef hammer(): ...\n",
        }
    )
    assert homes(attic) == {"LARGEST": "attic.trunk", "Trunk": "attic.trunk"}
    assert attic.LARGEST == 9
    assert attic.tools.hammer() is None


def test_one_name_in_two_modules_is_refused(room):
    attic = room(**{"attic/a": PART.format(name="Box"), "attic/b/__init__": "", "attic/b/c": PART.format(name="Box")})
    with pytest.raises(ValueError, match="Box is defined twice in attic: rename one of the two"):
        homes(attic)


@pytest.mark.parametrize("first", ["import attic.sort", "from attic import sort", "import attic; attic.sort"])
def test_a_part_goes_before_its_module_of_the_same_name(room, first):
    folder = Path(room(**{"attic/sort": "def sort(): return 'sorted'\n"}).__file__).parents[1]
    code = f"{first}\nimport attic.sort\nfrom attic import sort\nassert sort() == attic.sort() == 'sorted'"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=folder)


def test_a_room_names_what_it_has():
    assert {"Hinge", "MMD", "wasserstein"} <= set(dir(zerosum.objectives))
    with pytest.raises(AttributeError, match=r"zerosum.objectives has no 'Hinje'; there is Hinge"):
        _ = zerosum.objectives.Hinje
    with pytest.raises(AttributeError, match=r"zerosum.objectives has no '__nothing__'"):
        _ = zerosum.objectives.__nothing__


def test_the_package_names_its_verbs_and_its_rooms():
    shown = dir(zerosum)
    assert shown == sorted([*zerosum.__all__, *submodules(zerosum)])
    assert {"Recipe", "load", "read", "train", "objectives", "recipes"} <= {*shown}
    for name in shown:
        assert getattr(zerosum, name) is not None
    with pytest.raises(AttributeError, match="zerosum has no 'recipe'; there is recipes, Recipe"):
        _ = zerosum.recipe


def loaded_by(statement):
    """The modules of zerosum that an interpreter which has none of them holds after a statement."""
    none = "import sys\nfor name in [m for m in sys.modules if m.partition('.')[0] == 'zerosum']: del sys.modules[name]"
    done = python("-c", f"{none}\n{statement}\nprint(*(m for m in sys.modules if m.startswith('zerosum.')))")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_rooms_are_there_after_importing_the_package_alone():
    assert loaded_by("import zerosum") == {"zerosum._rooms"}
    assert "zerosum.objectives.wasserstein" in loaded_by("import zerosum; zerosum.objectives.Hinge")


def test_a_name_loads_its_module_and_what_that_imports_and_no_other():
    alone = loaded_by("import zerosum.networks.mlp")
    assert loaded_by("from zerosum.networks import MLPGenerator") == alone
    assert len(alone) < 20


def test_the_package_can_be_imported_from_its_source_alone(root):
    code = "import sys; sys.path.insert(0, 'src'); import zerosum; print(zerosum.__version__)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == zerosum.__version__


def packages(library):
    """The `__init__.py` of every package in `src/zerosum`, but for the first and the program's."""
    return [s for s in library if s.path.endswith("/__init__.py") and s.module not in ("zerosum", "zerosum.cli")]


def test_packages_are_rooms_that_list_nothing_or_subfolders_that_hold_nothing(library):
    statements = {s.module: [ast.unparse(node) for node in s.tree.body[1:]] for s in packages(library)}
    opened = ["from zerosum import _rooms", "_rooms.open_room(__name__)"]
    assert all(ast.get_docstring(source.tree) for source in packages(library))
    assert [module for module, body in statements.items() if body not in ([], opened)] == []
    assert statements["zerosum.objectives"] == opened
    assert [m for m, body in statements.items() if isinstance(importlib.import_module(m), Room) != bool(body)] == []


def test_a_part_may_share_its_name_with_its_own_module_only(library):
    """`from zerosum.room import name` would else give the module or the part, whichever was loaded first."""
    modules = {source.module for source in library}
    clashes = [
        f"{room.module}.{name}"
        for room in packages(library)
        if isinstance(package := importlib.import_module(room.module), Room)
        for name, home in homes(package).items()
        if f"{room.module}.{name}" in modules - {home}
    ]
    assert clashes == []
