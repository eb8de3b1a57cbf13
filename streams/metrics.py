"""What gateways and agents measure beside the counters that all stages share (`config/metrics.py`)."""

from prometheus_client import Counter, Gauge, Histogram

LATENESS_SECONDS = Histogram(
    "fenghuo_lateness_seconds",
    "How far an input was observed behind the newest of its series or source",
    ["feed"],
    buckets=(0, 1, 5, 15, 60, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600),
)
DETECTION_SECONDS = Histogram(
    "fenghuo_detection_seconds",
    "Time that an agent took for one message",
    ["agent"],
    buckets=(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
CHECKPOINT_AGE_SECONDS = Gauge(
    "fenghuo_checkpoint_age_seconds",
    "Wall time since the newest snapshot of a partition's state",
    ["partition"],
)
DEVICE_CONNECTIONS = Gauge("fenghuo_device_connections", "Devices connected over TCP now", ["protocol"])
DEVICE_ANSWER_SECONDS = Histogram(
    "fenghuo_device_answer_seconds",
    "Time from a device's packet to our answer, which says that the broker has it on disk",
    ["protocol"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
DEVICE_MISSING = Counter(
    "fenghuo_device_missing_total", "Values that devices marked as not measured", ["protocol"]
)
DEVICE_OTHER_BYTES = Counter(
    "fenghuo_device_other_bytes_total", "Bytes of pictures and texts, which are no readings", ["protocol"]
)
MQTT_CONNECTED = Gauge(
    "fenghuo_mqtt_connected",
    "1 while the gateway is subscribed at the MQTT broker; absent without one",
    ["broker"],
)
ALERTS_HELD_BACK = Counter(
    "fenghuo_alerts_held_back_total", "Alerts that were listed when raised, and nobody was paged", ["reason"]
)
RANKING_BRIER = Gauge(
    "fenghuo_ranking_brier",
    "Mean squared error of the chances told of alerts, against officers' verdicts",
    ["county"],
)
