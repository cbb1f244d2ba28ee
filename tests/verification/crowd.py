"""Many at the same instant: each deed in a thread and on a database connection of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connection


def at_once(*deeds):
    """What each deed returned, in their order; what one raised is raised here. They start together."""
    gate = threading.Barrier(len(deeds), timeout=30)

    def run(deed):
        try:
            connection.ensure_connection()
            gate.wait()
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return [future.result() for future in [pool.submit(run, deed) for deed in deeds]]
