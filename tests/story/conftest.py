from tests.client.fixtures import bookshop, town, world

__all__ = ["bookshop", "town", "world"]
