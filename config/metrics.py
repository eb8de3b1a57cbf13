"""Counters that every stage shares, each labelled by stage; a stage's own metrics live in its package.

They stand here, in the lowest room that may use prometheus-client, because one process may hold several stages (the
demo) and a name can be registered only once.
"""

from prometheus_client import Counter, Gauge

INPUTS = Counter("fenghuo_inputs_total", "Inputs taken, by stage and feed or topic", ["stage", "feed"])
OUTPUTS = Counter("fenghuo_outputs_total", "Records put out, by stage and topic", ["stage", "topic"])
REJECTED = Counter("fenghuo_rejected_total", "Inputs turned away", ["stage", "feed", "reason"])
HTTP_REQUESTS = Counter("fenghuo_http_requests_total", "Requests answered", ["route", "status"])
LAG = Gauge(
    "fenghuo_lag_messages", "Messages written to a partition and not yet worked off", ["topic", "partition"]
)
