"""Integers to bytes and back, exactly and everywhere: nothing here depends on a rounding."""
