"""What became of bills, counted where it happens."""

from ansim.lib import metrics

CLOSED_LINES = metrics.counter("month_close_lines", "Lines that the close of a month went through.")
POSTING_SECONDS = metrics.histogram(
    "charge_posting_seconds", "Posts of charges to the carrier, by outcome.", "outcome", buckets=metrics.OUTSIDE
)
