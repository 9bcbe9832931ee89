"""The order of the house: every room imports only from the rooms below it.

Read from the source, imports inside functions included; and from running processes, what decoding
and parsing really load.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "inrcodec"

# From the top down. Rooms of one line may import each other.
LAYERS = (
    ("cli",),
    ("plugins",),
    ("view",),
    ("evaluate",),
    ("batch",),
    ("api",),
    ("sources", "outputs"),
    ("target_size",),
    ("codec",),
    ("segments",),
    ("inr_file", "encoded", "row"),
    ("fit",),
    ("remedies",),
    ("media",),
    ("kinds",),
    ("sampling",),
    ("fields",),
    ("activations", "encodings"),
    ("kernels",),
    ("quantize",),
    ("entropy",),
    ("bitstream",),
    ("signal", "grid", "asked", "registry", "runtime", "progress", "files", "errors"),
)
DEPTH = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}
# The doors: they may import from every room.
ROOT = ("__init__", "__main__")

# Who may import what from outside; everybody may import the standard library.
ALLOWED = {
    "constriction": {"entropy/coder.py"},
    "PIL": {"media", "evaluate/codecs/pillow.py", "evaluate/report/raster.py"},
    "av": {
        "media",
        "evaluate/codecs/ffmpeg_audio.py",
        "evaluate/codecs/ffmpeg_video.py",
        "evaluate/metrics/ffmpeg.py",
    },
    "imageio": {"media"},
    "soundfile": {"media", "evaluate/codecs/libsndfile.py"},
    "torch": {"remedies", "fit", "kernels", "runtime.py"},
    "numba": {"kernels", "runtime.py"},
    "triton": {"kernels/gpu"},
}
WITHOUT_NUMPY = {"cli", "bitstream", "registry.py", "progress.py", "files.py", "errors.py"}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: relative import"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def test_every_room_is_in_the_order():
    rooms = {room_of(path) for path in sources()} - set(ROOT)
    assert rooms <= DEPTH.keys()


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_a_room_imports_only_from_below(path):
    room = room_of(path)
    if room in ROOT:
        return
    for line, name in imports(path):
        first, *rest = name.split(".")
        if first != "inrcodec" or rest[0] not in DEPTH:
            # Names of the package itself, such as inrcodec.__version__, are everybody's.
            continue
        assert rest[0] == room or DEPTH[rest[0]] >= DEPTH[room], (
            f"{name_of(path)}:{line} imports {name}, which lies above {room}"
        )


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_a_library_is_imported_only_where_it_belongs(path):
    own = {name_of(path), *(p.as_posix() for p in Path(name_of(path)).parents)}
    for line, name in imports(path):
        library = name.split(".")[0]
        assert library not in ALLOWED or own & ALLOWED[library], (
            f"{name_of(path)}:{line} imports {library}, which only {ALLOWED[library]} may"
        )
        assert library != "numpy" or not own & WITHOUT_NUMPY, (
            f"{name_of(path)}:{line} imports numpy"
        )


def loaded_after(code: str, *arguments: str) -> set[str]:
    """The modules that a process of its own holds after running some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
    )
    return set(done.stdout.split("\n"))


@pytest.fixture(scope="module")
def inr(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("layers") / "a.inr"
    code = (
        "import sys, numpy, inrcodec\n"
        "image = numpy.arange(96, dtype=numpy.uint8).reshape(8, 12)\n"
        "inrcodec.write(sys.argv[1], image, effort=1, engine='reference', device='cpu')"
    )
    loaded_after(code, str(path))
    return str(path)


def test_decoding_loads_neither_the_encoder_nor_torch(inr):
    code = "import sys, inrcodec\ninrcodec.verify(sys.argv[1])\ninrcodec.read(sys.argv[1], scale=2)"
    loaded = loaded_after(code, inr)
    assert "inrcodec.codec" in loaded
    encoder_side = {"fit", "quantize", "remedies", "evaluate", "batch", "view", "plugins", "cli"}
    assert not loaded & {f"inrcodec.{room}" for room in encoder_side}
    assert not loaded & {"torch", "PIL", "imageio", "av", "soundfile"}


def test_decoding_a_picture_from_the_shell_loads_nothing_slow(inr, tmp_path):
    code = (
        "import sys\n"
        "from inrcodec.cli.main import main\n"
        "assert main(['decode', '--quiet', *sys.argv[1:]]) == 0"
    )
    loaded = loaded_after(code, inr, str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").exists()
    assert "inrcodec.media.image" in loaded
    assert not loaded & {"torch", "numba", "av", "soundfile", "imageio", "importlib.metadata"}


def test_parsing_a_container_loads_no_numpy(inr):
    code = (
        "import sys\n"
        "from inrcodec.bitstream.container import read_container\n"
        "from inrcodec.bitstream.header import parse_header\n"
        "from inrcodec.bitstream.limits import Limits\n"
        "from inrcodec.files import read_bytes\n"
        "sections = read_container(read_bytes(sys.argv[1], 10**6), Limits())\n"
        "assert parse_header(sections[0].payload, Limits()).width == 12"
    )
    assert not loaded_after(code, inr) & {"numpy", "torch"}


def test_importing_the_package_loads_no_numpy():
    assert not loaded_after("import inrcodec") & {"numpy", "torch"}


def test_fitting_loads_no_entropy_coder():
    assert "constriction" not in loaded_after("import inrcodec.fit.grid, inrcodec.fit.network")
