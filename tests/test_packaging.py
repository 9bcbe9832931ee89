"""What a user installs: every file that runs, one version, and what it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import pytest

import inrcodec

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from a copy of the sources, by the setuptools that is installed here."""
    source = tmp_path_factory.mktemp("source with spaces")
    shutil.copytree(
        ROOT / "inrcodec", source / "inrcodec", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(source / "dist"), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = (source / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_that_runs(wheel):
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "inrcodec").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert expected <= set(wheel.namelist())
    assert {"inrcodec/py.typed", "inrcodec/entropy/laplace.npz"} <= expected


def test_the_wheel_holds_nothing_else(wheel):
    metadata = f"inrcodec-{inrcodec.__version__}.dist-info/"
    assert all(name.startswith(("inrcodec/", metadata)) for name in wheel.namelist())
    assert any(name.startswith(metadata) and "LICENSE" in name for name in wheel.namelist())


def test_the_wheel_is_for_every_machine_and_has_the_version_of_the_package(wheel):
    assert wheel.filename is not None
    assert wheel.filename.endswith(f"inrcodec-{inrcodec.__version__}-py3-none-any.whl")


def test_the_installed_command_exists():
    module, function = PROJECT["project"]["scripts"]["inrcodec"].split(":")
    assert callable(getattr(import_module(module), function))


def test_what_is_needed_at_run_time_is_what_is_promised():
    names = [re.match(r"[\w-]+", need)[0] for need in PROJECT["project"]["dependencies"]]
    assert sorted(names) == [
        "av",
        "constriction",
        "imageio",
        "numba",
        "numpy",
        "pillow",
        "soundfile",
        "torch",
    ]
    assert "constriction==0.5.0" in PROJECT["project"]["dependencies"]


def test_the_constraints_name_one_version_of_everything_needed():
    lines = (ROOT / "tools" / "constraints.txt").read_text().splitlines()
    pins = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    project = PROJECT["project"]
    needs = project["dependencies"] + project["optional-dependencies"]["test"]
    for need in needs:
        assert re.match(r"[\w-]+", need)[0] in pins


def test_the_python_promised_is_the_python_that_the_style_is_checked_for():
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    assert PROJECT["tool"]["ruff"]["target-version"] == "py311"


def test_every_program_in_python_is_checked_for_style():
    patterns = ["*.py", *PROJECT["tool"]["ruff"]["extend-include"]]
    for path in (ROOT / "tools").iterdir():
        if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env python"):
            name = path.relative_to(ROOT).as_posix()
            assert any(fnmatch(name, pattern) for pattern in patterns), name
    checks = (ROOT / "tools" / "test").read_text()
    assert "ruff check" in checks
    assert "ruff format --check" in checks


@pytest.mark.parametrize("name", ["tools/setup", "tools/test", "tools/demo", ".ci/run"])
def test_scripts_are_executable_and_valid(name):
    path = ROOT / name
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)
