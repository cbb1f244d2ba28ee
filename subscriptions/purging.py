"""All that is kept long enough, over all layers, in the order in which it goes: what hangs on a row goes before it."""

import ansim.ageing
import pushes.ageing
import verification.ageing
from ansim import retention
from ansim.retention import Sort
from subscriptions import ageing

SORTS: tuple[Sort, ...] = (*pushes.ageing.SORTS, *verification.ageing.SORTS, *ageing.SORTS, *ansim.ageing.SORTS)


def waiting() -> dict[str, int]:
    """How many rows of each sort would go now."""
    rules = retention.days()
    return {
        sort.name: sort.count(retention.cutoff(sort, rules))
        for sort in SORTS
        if sort.kind is None or sort.kind in rules
    }
