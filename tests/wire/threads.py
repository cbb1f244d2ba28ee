from concurrent.futures import ThreadPoolExecutor


def elsewhere(call, *arguments):
    """What the call returns in a thread of its own: Playwright keeps an event loop running in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *arguments).result()
