"""A comparison as one page: `write_report` reads the folder of a run and draws it."""

from inrcodec.evaluate.report.writing import write_report

__all__ = ["write_report"]
