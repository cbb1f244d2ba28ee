"""The simulated world (api.md section 5): Google, Apple, an SMS gateway, the carrier and the partners' webhook sinks.

One process on loopback, `python -m ansim.demo.world`, that speaks the vendors' wire formats, so that the production
code cannot tell it from them. It writes down everything that arrives, and can be told to fail in every way.
"""
