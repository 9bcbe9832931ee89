"""Measures of quality and of rate, other codecs, and comparisons with them.

| file | what |
|---|---|
| `metrics/` | how near a signal is to another |
| `bd` | Bjontegaard's deltas between two curves |
| `codecs/` | other codecs and our own, behind one interface |
| `compare` | runs codecs over signals |
| `originals`, `measuring`, `workers` | finds the signals, makes a point, makes several at a time |
| `resolutions`, `machine` | judges at other sizes, says where it was measured |
| `points`, `summary` | the tables that a comparison leaves |
| `published` | curves of others |
| `report/` | what people look at |
"""
