# SPDX-License-Identifier: Apache-2.0
"""Tests the house rules of docs/architecture.md that a machine can judge, on every Python file.

Does not run the files, and judges no style that ruff judges already.
"""

from __future__ import annotations

import ast
import re

import pytest

ADD_ON = ("blender_addon/", "tests/blender_addon/")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
MIN_TEST_LINES_PER_SOURCE_LINE = 0.8
# Programs that talk to people; everything else logs.
MAY_PRINT = ("dev.py", "build_addon.py", "rome_backend/cli.py", "rome_backend/commands/", "tools/")
MAY_PRINT += ("blender_addon/rig/__main__.py",)  # the child that writes .blend files
# The boundary of a process or a job turns whatever is left into one sentence and a code.
MAY_CATCH_ALL = ("rome_backend/cli.py", "rome_backend/server/jobs.py")
# Writes the pickles that users have, hostile ones too; nothing of ours reads one with pickle.
MAY_PICKLE = ("tests/rome_backend/assets/model_files.py", "tests/training/data/test_released.py")
# What the extension carries under its own name cannot import itself by an absolute one.
RELATIVE = ("blender_addon/", "rome_backend/core/")
FORBIDDEN_CALLS = frozenset({"eval", "exec"})
FORBIDDEN_MODULES = frozenset({"pickle", "cPickle", "dill", "marshal", "shelve"})
BROAD = frozenset({"Exception", "BaseException"})
UNFINISHED = re.compile(r"#.*\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
DENIAL = re.compile(r"\b(not|no|nothing|never|neither|nor|without)\b", re.IGNORECASE)


def _licence(path: str) -> str:
    name = "GPL-3.0-or-later" if path.startswith(ADD_ON) else "Apache-2.0"
    return f"# SPDX-License-Identifier: {name}"


def _head_problems(path: str, text: str, tree: ast.Module) -> list[str]:
    """Problems of the file as a whole: licence line, docstring, length, name."""
    problems = []
    lines = text.splitlines()
    first = lines[1:2] if text.startswith("#!") else lines[:1]
    if first != [_licence(path)]:
        problems.append(f"1 does not start with {_licence(path)!r}")
    docstring = (ast.get_docstring(tree) or "").strip()
    sentences = re.split(r"(?<=[.!?])[)\"'`]*\s+", docstring)
    says_no = len(sentences) > 1 and DENIAL.search(sentences[1])
    if not docstring or not (says_no or path.startswith("tests/")):  # tests know what they test
        problems.append("2 the docstring's second sentence does not say what the file knows not")
    if len(lines) > MAX_FILE_LINES:
        problems.append(f"{len(lines)} lines; {MAX_FILE_LINES} is the limit")
    if path.endswith("/utils.py"):
        problems.append("1 utils.py says nothing about its contents")
    return problems


def _function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Physical lines of a function from its def, decorators and docstring left out."""
    count = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is not None:
        docstring = node.body[0]
        count -= (docstring.end_lineno or 0) - docstring.lineno + 1
    return count


def _names(node: ast.expr | None) -> set[str]:
    """The last names of an exception or a tuple of exceptions."""
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return {getattr(each, "attr", getattr(each, "id", "")) for each in nodes}


def _node_problem(path: str, node: ast.AST) -> str | None:
    """The problem of one node of the syntax tree, or None."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        count = _function_lines(node)
        if count > MAX_FUNCTION_LINES:
            return f"{node.name} has {count} lines; {MAX_FUNCTION_LINES} is the limit"
    elif isinstance(node, ast.ExceptHandler):
        broad = node.type is None or bool(_names(node.type) & BROAD)
        if broad and path not in MAY_CATCH_ALL:
            return "a broad except hides what it does not expect"
    elif isinstance(node, ast.Import | ast.ImportFrom):
        modules = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
        named = {module.split(".")[0] for module in modules}
        if FORBIDDEN_MODULES & named and path not in MAY_PICKLE:
            return "unpickling executes what a file says"
        if isinstance(node, ast.ImportFrom) and node.level and not path.startswith(RELATIVE):
            return "imports are absolute outside the add-on and core"
    elif isinstance(node, ast.Call):
        called = getattr(node.func, "id", "")
        if called in FORBIDDEN_CALLS:
            return f"{called} executes text"
        if called == "print" and not path.startswith((*MAY_PRINT, "tests/")):
            return "libraries log, they do not print"
        if (
            getattr(node.func, "attr", called) == "suppress"
            and _names(ast.Tuple(node.args)) & BROAD
        ):
            return "a broad suppress hides what it does not expect"
    return None


def problems(path: str, text: str) -> list[str]:
    """Return ``path:line problem`` for every house rule that a file breaks."""
    tree = ast.parse(text)
    found = _head_problems(path, text, tree)
    for node in ast.walk(tree):
        problem = _node_problem(path, node)
        if problem is not None:
            found.append(f"{getattr(node, 'lineno', 1)} {problem}")
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            found.append(f"{number} is not finished")
    return [f"{path}:{problem}" for problem in found]


def test_the_project_keeps_its_rules(
    source_texts: dict[str, str], texts_of_tests: dict[str, str]
) -> None:
    texts = source_texts | texts_of_tests
    assert "rome_backend/core/types.py" in texts and "tests/conftest.py" in texts
    found = [problem for path, text in texts.items() for problem in problems(path, text)]
    assert not found, "\n" + "\n".join(found)


def test_there_are_enough_tests(
    source_texts: dict[str, str], texts_of_tests: dict[str, str]
) -> None:
    source = sum(text.count("\n") for text in source_texts.values())
    tests = sum(text.count("\n") for text in texts_of_tests.values())
    wanted = MIN_TEST_LINES_PER_SOURCE_LINE * source
    assert tests >= wanted, f"{tests} test lines for {source} source lines; {wanted:.0f} wanted"


def test_tests_stand_where_their_module_stands(
    source_texts: dict[str, str], texts_of_tests: dict[str, str]
) -> None:
    """A test file in a mirrored folder is named after a module or says by name what it tests."""
    folders = {path.rpartition("/")[0] for path in source_texts}
    for path in texts_of_tests:
        folder, _, name = path.removeprefix("tests/").rpartition("/")
        if name.startswith("test_") and folder:
            assert folder in folders, f"{path}: there is no folder {folder} of ours"


GOOD = '# SPDX-License-Identifier: Apache-2.0\n"""Does a thing. Does not know another."""\n'
LONG = "def f():\n" + '    """A.\n\n    B.\n    """\n'
BAD = {
    "no licence": GOOD.partition("\n")[2],
    "another licence": GOOD.replace("Apache-2.0", "MIT"),
    "no docstring": GOOD.partition("\n")[0] + "\n",
    "one sentence": GOOD.replace(" Does not know another.", ""),
    "no denial": GOOD.replace(" not know", " know"),
    "denial too late": GOOD.replace("Does not", "Is long. Does not"),
    "too long": GOOD + "A = 1\n" * 299,
    "long function": GOOD + LONG + "    a = 1\n" * 40,
    "long method": GOOD + "class A:\n    async def f(self):\n" + "        a = 1\n" * 40,
    "bare except": GOOD + "try:\n    a = 1\nexcept:\n    pass\n",
    "broad except": GOOD + "try:\n    a = 1\nexcept Exception:\n    raise\n",
    "broad among others": GOOD + "try:\n    a = 1\nexcept (OSError, BaseException):\n    pass\n",
    "broad suppress": GOOD + "with contextlib.suppress(Exception):\n    a = 1\n",
    "print": GOOD + "print(1)\n",
    "pickle": GOOD + "import pickle\n",
    "unpickling": GOOD + "from pickle import loads\n",
    "eval": GOOD + "eval('1')\n",
    "relative import": GOOD + "from . import types\n",
    "unfinished": GOOD + "A = 1  # TO" + "DO: more\n",
}
FINE = {
    "nothing but a docstring": GOOD,
    "docstring over lines": GOOD.replace(". Does", ".\n\nDoes"),
    "300 lines": GOOD + "A = 1\n" * 298,
    "a function of 40 lines": GOOD + LONG + "    a = 1\n" * 39,
    "a program": "#!/usr/bin/env python3\n" + GOOD,
    "a named except": GOOD + "try:\n    a = 1\nexcept OSError:\n    pass\n",
    "a named suppress": GOOD + "with contextlib.suppress(OSError):\n    a = 1\n",
    "a method called print": GOOD + "console.print(1)\n",
}


@pytest.mark.parametrize("name", BAD)
def test_planted_problems_are_found(name: str) -> None:
    assert len(problems("rome_backend/render/a.py", BAD[name])) == 1


@pytest.mark.parametrize("name", FINE)
def test_what_is_fine_passes(name: str) -> None:
    assert problems("rome_backend/core/a.py", FINE[name]) == []


def test_the_add_on_has_its_own_licence_and_imports() -> None:
    text = GOOD.replace("Apache-2.0", "GPL-3.0-or-later") + "from . import names\n"
    assert problems("blender_addon/rig/a.py", text) == []
    assert problems("rome_backend/core/a.py", GOOD + "from . import types\n") == []
    assert len(problems("blender_addon/rig/a.py", GOOD)) == 1


def test_programs_may_print_and_utils_is_no_name() -> None:
    assert problems("rome_backend/commands/demo.py", GOOD + "print(1)\n") == []
    assert len(problems("rome_backend/render/utils.py", GOOD)) == 1


def test_a_test_s_docstring_may_be_one_sentence() -> None:
    assert problems("tests/test_a.py", BAD["one sentence"]) == []
    assert len(problems("tests/test_a.py", BAD["no docstring"])) == 1


def test_only_the_process_boundary_catches_all() -> None:
    for path in MAY_CATCH_ALL:
        assert problems(path, BAD["broad except"]) == []


def test_a_problem_names_its_place() -> None:
    found = problems("rome_backend/a.py", GOOD + "\nprint(1)\n")
    assert found == ["rome_backend/a.py:4 libraries log, they do not print"]
