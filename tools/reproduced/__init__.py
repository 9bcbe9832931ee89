"""Tables of papers, made again with our own networks, remedies and engines.

One experiment is one description (`experiments`); `running` is the one thing that runs them.
"""
