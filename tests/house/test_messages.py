"""Every message that a user can meet has a test that reads it."""

import ast

LENGTH = 14  # characters in a row that a test must share with a message


def strings(tree):
    """The fixed texts in a tree, f-strings by their parts."""
    return [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def runs(text):
    """All rows of characters of a text that are as long as a test must share."""
    return {text[i : i + LENGTH] for i in range(len(text) - LENGTH + 1)}


def messages(tree):
    """The sentences of errors that are raised, each with its rows of characters; a word or two is left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            found = {run for part in strings(node.exc.args[0]) for run in runs(part)}
            if found:
                yield ast.unparse(node.exc.args[0]), found


def read_by(tree):
    """The rows of characters in all strings of a test, with the backslashes of patterns taken off."""
    return {run for text in strings(tree) for run in runs(text.replace("\\", ""))}


def test_every_message_is_read_by_a_test(library, everything):
    read = {run for source in everything if source.path.startswith("tests/") for run in read_by(source.tree)}
    unread = [
        f"{source.path}: {text}" for source in library for text, found in messages(source.tree) if not found & read
    ]
    assert unread == []


def test_a_message_that_no_test_reads_would_be_seen():
    ((text, found),) = messages(ast.parse("raise ValueError(f'{name} is a number of channels; found {width}')"))
    assert "number of channels" in text
    assert found & read_by(ast.parse("match = r'a number of channels\\; found'"))
    assert not found & read_by(ast.parse("match = 'a number of things'"))
