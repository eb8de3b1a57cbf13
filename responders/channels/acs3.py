"""Signatures of Aliyun's API, third version: ACS3-HMAC-SHA256; pure.

Source: 阿里云 V3 版本请求体&签名机制 (help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature).
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

ALGORITHM = "ACS3-HMAC-SHA256"


def query_of(parameters: Mapping[str, str]) -> str:
    """Write parameters as a canonical query: sorted, encoded as RFC 3986 says."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(parameters.items()))


def sign(
    key: str,
    secret: str,
    *,
    host: str,
    action: str,
    version: str,
    query: str,
    at: datetime,
    nonce: str,
    path: str = "/",
    body: bytes = b"",
) -> dict[str, str]:
    """Make the headers of a signed POST; `at` within 15 minutes of the service's time, `nonce` never used before."""
    digest = sha256(body).hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": digest,
        "x-acs-date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value.strip()}\n" for name, value in headers.items())
    request = f"POST\n{path}\n{query}\n{lines}\n{names}\n{digest}"
    text = f"{ALGORITHM}\n{sha256(request.encode()).hexdigest()}"
    signature = hmac.digest(secret.encode(), text.encode(), sha256).hex()
    return {
        **headers,
        "Authorization": f"{ALGORITHM} Credential={key},SignedHeaders={names},Signature={signature}",
    }


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")
