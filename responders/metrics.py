"""The responder's own figures; what every stage counts is in `config/metrics.py`."""

from prometheus_client import Counter, Gauge, Histogram

PAGES = Counter("fenghuo_pages_total", "Pages tried, by what became of them", ["channel", "outcome"])
LETTERS = Counter(
    "fenghuo_letters_total", "Messages tried, by whether they carry one page or several", ["channel", "kind"]
)
STORM = Gauge("fenghuo_storm", "1 while a county is in a storm of cases, 0 after one", ["county"])
STORMS = Counter("fenghuo_storms_total", "Storms of cases that began and that ended", ["change"])
INCIDENTS_OPEN = Gauge("fenghuo_incidents_open", "Open incidents by grade", ["grade"])
ESCALATIONS = Counter(
    "fenghuo_escalations_total", "Climbs to a level nobody had paged before, by level", ["level"]
)
REPORT_LIMITS = Counter(
    "fenghuo_report_limits_total", "Limits of legal reports: told of before, missed, or set back", ["reason"]
)
HEARTBEAT_AGE = Gauge(
    "fenghuo_heartbeat_age_seconds", "Wall seconds since a component was last heard of", ["component"]
)
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
ALERT_LATENCY = Histogram(
    "fenghuo_alert_latency_seconds",
    "Wall seconds from the gateway's receipt to the alert's row",
    buckets=_BUCKETS,
)
PAGE_LATENCY = Histogram(
    "fenghuo_page_latency_seconds",
    "Wall seconds from the gateway's receipt to the first page's delivery",
    buckets=_BUCKETS,
)
FAILURES = Counter("fenghuo_loop_failures_total", "Errors that ended a round of a loop", ["loop", "error"])
RESPONSE_SHARE = Gauge(
    "fenghuo_response_share", "Share of the last seven days' orders, of those known", ["area", "rate"]
)
RESPONSE_SECONDS = Gauge(
    "fenghuo_response_seconds", "Middle of the last seven days' times, county clock", ["area", "stage"]
)
CIRCUIT_OPEN = Gauge(
    "fenghuo_circuit_open",
    "1 while a channel is left alone after failures in a row, or on trial",
    ["channel"],
)
CIRCUITS_OPENED = Counter("fenghuo_circuits_opened_total", "How often a channel was left alone", ["channel"])
