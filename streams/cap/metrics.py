"""What is measured of CAP messages beside the counters that all stages share."""

from prometheus_client import Counter, Gauge

CAP_MESSAGES = Counter(
    "fenghuo_cap_messages_total",
    "CAP messages by way (http, feed, folder) and what became of them",
    ["way", "outcome"],
)
CAP_FEED_READ = Gauge(
    "fenghuo_cap_feed_read_timestamp_seconds", "When a feed was last read well, Unix time", ["host"]
)
CAP_FEED_FAILURES = Counter(
    "fenghuo_cap_feed_failures_total", "Looks at a feed that failed", ["host", "reason"]
)
