"""Measures of quality and of rate: pure functions in float64, each with its source."""
