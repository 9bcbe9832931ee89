"""`info` is quick and light, `verify` decodes in full; what their JSON holds is fixed."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
from PIL import Image


def test_info_loads_neither_torch_nor_pillow_and_is_quick(inr, environment, record_property):
    code = (
        "import sys\n"
        "from inrcodec.cli.main import main\n"
        "assert main(['info', sys.argv[1], '--json']) == 0\n"
        "loaded = {'torch', 'PIL', 'numba', 'inrcodec.fit', 'inrcodec.media'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(inr)], capture_output=True, check=True, env=environment
    )
    milliseconds = json.loads(done.stdout)["info_milliseconds"]
    record_property("info_milliseconds", milliseconds)
    assert 0 < milliseconds < 1000


def test_help_and_version_load_not_even_numpy(environment):
    for option in ("--help", "--version"):
        code = (
            "import sys\n"
            "from inrcodec.cli.main import main\n"
            f"assert main(['{option}']) == 0\n"
            "assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)\n"
        )
        subprocess.run(
            [sys.executable, "-c", code], check=True, env=environment, stdout=subprocess.DEVNULL
        )


def test_info_tells_what_the_header_holds(call, inr, encoded):
    facts = json.loads(call("info", inr, "--json").out)
    assert facts.keys() == {
        "file",
        "kind",
        "width",
        "height",
        "channels",
        "bit_depth",
        "file_bytes",
        "rate_bpp",
        "format_version",
        "field",
        "config",
        "parameters",
        "macs_per_sample",
        "decode_hash",
        "metadata_bytes",
        "info_milliseconds",
    }
    shape = [facts[name] for name in ("kind", "width", "height", "channels", "bit_depth")]
    assert shape == ["image", 24, 16, 3, 8]
    assert facts["file"] == str(inr)
    assert facts["file_bytes"] == len(encoded)
    assert facts["rate_bpp"] == 8 * len(encoded) / (24 * 16)
    assert facts["field"] == "grid"
    assert len(facts["decode_hash"]) == 16


def test_info_for_people_is_one_fact_per_line(call, inr):
    done = call("info", inr)
    lines = dict(line.split(": ", 1) for line in done.out.decode().splitlines())
    assert lines.keys() == json.loads(call("info", inr, "--json").out).keys()
    assert lines["width"] == "24"
    assert lines["metadata_bytes"] == "none"
    assert done.err == ""


def test_info_and_verify_read_pipes(spawn, encoded):
    for verb in ("info", "verify"):
        done = spawn(verb, "-", "--json", stdin=encoded)
        assert json.loads(done.out)["file"] == "-"


def test_verify_confirms_the_hash_of_the_encoder(call, inr, encoded):
    done = call("verify", inr, "--json")
    facts = json.loads(done.out)
    assert facts.pop("verify_seconds") >= 0
    assert facts == {
        "file": str(inr),
        "ok": True,
        "kind": "image",
        "width": 24,
        "height": 16,
        "channels": 3,
        "bit_depth": 8,
        "file_bytes": len(encoded),
        "decode_hash": json.loads(call("info", inr, "--json").out)["decode_hash"],
    }
    assert "ok, 24x16" in done.err


def test_encode_and_decode_have_fixed_json(call, picture, tmp_path, quick):
    inr, png = tmp_path / "a.inr", tmp_path / "a.png"
    encode = json.loads(call("encode", picture, inr, *quick, "--json").out)
    assert encode.pop("encode_seconds") > 0
    assert encode.pop("psnr_db") > 20
    size = inr.stat().st_size
    assert encode == {
        "input": str(picture),
        "output": str(inr),
        "kind": "image",
        "width": 24,
        "height": 16,
        "channels": 3,
        "bit_depth": 8,
        "file_bytes": size,
        "rate_bpp": 8 * size / (24 * 16),
        "lmbda": 1e-3,
        "effort": 1,
        "field": "grid",
        "seed": 0,
    }
    decode = json.loads(call("decode", inr, png, "--json").out)
    assert decode.pop("decode_seconds") > 0
    assert decode == {
        "input": str(inr),
        "output": str(png),
        "kind": "image",
        "width": 24,
        "height": 16,
        "channels": 3,
        "bit_depth": 8,
        "file_bytes": size,
        "output_bytes": png.stat().st_size,
    }


def test_a_decode_without_any_error_is_null_in_json(call, tmp_path, quick):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "black.png")
    done = call("encode", tmp_path / "black.png", tmp_path / "a.inr", *quick, "--json")
    found = json.loads(done.out)["psnr_db"]
    assert (found is None) == ("inf dB PSNR" in done.err)
