"""A comparison as one page: `write_report` reads the folder of a run and draws it.

From what people see down to the ink; each file needs only those below it:

| file | what |
|---|---|
| `writing` | reads the folder, writes `report.html` and the plots |
| `page` | the page and its sections; beside it `page.html`, `.css`, `.js` and `viewer.html` |
| `tables` | every table and the sentence at the top |
| `plots` | which charts there are, and what they show |
| `crops`, `sounds`, `spectra` | details to see, clips to hear, where in the spectrum errors lie |
| `matching` | points of several codecs with nearly the same bytes, which those three show |
| `pictures` | reads originals and decodes, finds the part with the most detail |
| `published_curves` | which of the curves that others published belong behind ours |
| `spectral_charts` | spectra as charts, also of `inrcodec spectrum` |
| `spectral_figures` | the figures of `inrcodec spectrum` |
| `chart` | curves on axes, names and legends as a drawing |
| `ticks`, `geometry` | numbers at the axes; where lines are cut and names fit |
| `svg`, `raster` | a drawing as SVG or PNG |
| `drawing` | lines, markers and text: what drawings consist of |

Curves and BD-rates are not made here: they are those of `evaluate.results`.
"""

from inrcodec.evaluate.report.writing import write_report

__all__ = ["write_report"]
