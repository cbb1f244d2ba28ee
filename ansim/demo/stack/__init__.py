"""The launcher's parts: what `make run` and `make test` need to bring a whole system up and keep it up.

`ansim.demo.run` puts them together. Nothing here needs Django: the launcher talks to it through `manage.py`.
"""
