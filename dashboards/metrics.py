"""What the console counts beside the shared metrics."""

from prometheus_client import Counter, Gauge

SIGN_INS = Counter("fenghuo_sign_ins_total", "Attempts to sign in, by outcome", ["outcome"])
TOKEN_USES = Counter("fenghuo_token_uses_total", "Requests of programs that showed a token", ["outcome"])
LIVE_CLIENTS = Gauge("fenghuo_live_clients", "Browsers that follow the live events")
LIVE_FRAMES = Counter("fenghuo_live_frames_total", "Events written to browsers, by kind", ["kind"])
REPLIES = Counter(
    "fenghuo_replies_total", "Pages answered by link or SMS, by what came of it", ["way", "standing"]
)
RECEIPTS = Counter("fenghuo_receipts_total", "Receipts of channels", ["channel", "outcome"])
PERSONAL_READS = Counter(
    "fenghuo_personal_reads_total",
    "Openings of personal data, by whether a person's day is within its limit",
    ["outcome"],
)
