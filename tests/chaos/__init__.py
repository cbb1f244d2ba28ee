"""A storm over a whole running system: people verify themselves while its processes are killed at random.

`storm` is the whole of it, for `tests/story/test_chaos.py` and, longer, for `make chaos` (`python -m tests.chaos`).
"""
