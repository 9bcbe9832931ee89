"""Measures of quality and of rate, other codecs, and comparisons with them.

| file | what |
|---|---|
| `compare` | runs codecs over signals: the story of a comparison |
| `originals`, `plan`, `record` | finds the signals, what is to be done, how it was done |
| `measuring`, `timing`, `workers` | makes a point, takes its time, makes several at once |
| `resolutions`, `machine`, `folders` | judges at other sizes, says where it was measured |
| `points`, `table` | measured points as rows, those of a folder while a run adds to them |
| `results` | curves of the points, compared: the numbers of all that follows |
| `bd_table`, `mean_curves`, `report/` | the same for scripts, CompressAI's tools, people |
| `bd`, `cubics`, `qualities` | Bjontegaard's deltas, curves through points, in which metrics |
| `codecs/` | other codecs and our own, behind one interface |
| `metrics/` | how near a signal is to another |
| `published` | curves of others |
"""
