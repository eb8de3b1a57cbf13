"""Aliyun SMS as a channel: a template of theirs filled in and sent to one phone (SendSms 2017-05-25).

Success is `Code` "OK" in the body, never the status. Sources: 阿里云短信服务 SendSms, API 错误码, as of 2026.
"""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from config.services import AliyunSms
from config.settings import ServiceSecrets
from responders.cases import Cause, Message, Outcome, Result
from responders.channels.acs3 import query_of, sign
from responders.channels.asking import (
    BAD_ANSWER,
    DELIVERED,
    NOT_AUTHORISED,
    OUT_OF_SERVICE,
    REJECTED,
    TRY_AGAIN,
    UNKNOWN_RECIPIENT,
    ask,
    read_object,
)
from responders.channels.pace import Pace
from responders.channels.wording import one_line, word

THROTTLED = Outcome(Result.RETRY, Cause.RATE_LIMITED, 2.0)
CODES = {
    "OK": DELIVERED,
    # A number's bound is by minute, hour and day: whoever waits for it waits too long, another channel is quicker.
    "isv.BUSINESS_LIMIT_CONTROL": Outcome(Result.REFUSED, Cause.RATE_LIMITED),
    **dict.fromkeys(("Throttling", "Throttling.User", "Throttling.Api"), THROTTLED),
    **dict.fromkeys(
        (
            "isp.SYSTEM_ERROR",
            "isp.GATEWAY_ERROR",
            "isp.UNKNOWN",
            "InternalError",
            "ServiceUnavailable",
            "SignatureNonceUsed",
        ),
        TRY_AGAIN,
    ),
    **dict.fromkeys(("isv.MOBILE_NUMBER_ILLEGAL", "MOBILE_NOT_ON_SERVICE"), UNKNOWN_RECIPIENT),
    **dict.fromkeys(
        (
            "isv.OUT_OF_SERVICE",
            "isv.AMOUNT_NOT_ENOUGH",
            "isv.PRODUCT_UN_SUBSCRIPT",
            "isv.PRODUCT_UNSUBSCRIBE",
            "isv.ACCOUNT_NOT_EXISTS",
            "isv.ACCOUNT_ABNORMAL",
            "isv.DAY_LIMIT_CONTROL",
            "isv.MONTH_LIMIT_CONTROL",
        ),
        OUT_OF_SERVICE,
    ),
    **dict.fromkeys(
        (
            "isp.RAM_PERMISSION_DENY",
            "isv.RAM_PERMISSION_DENY",
            "isv.SMS_SIGNATURE_ILLEGAL",
            "isv.SMS_SIGN_ILLEGAL",
            "isv.SMS_TEMPLATE_ILLEGAL",
            "isv.TEMPLATE_MISSING_PARAMETERS",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "InvalidAccessKeyId.NotFound",
            "InvalidAccessKeyId.Inactive",
            "InvalidTimeStamp.Expired",
            "InvalidTimeStamp.Format",
            "NoPermission",
        ),
        NOT_AUTHORISED,
    ),
}
"""What the codes in its answers mean; any other is a refusal of this message for good."""


class AliyunChannel:
    """Sends SMS over Aliyun."""

    idempotent = False
    outside = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        service: AliyunSms,
        secrets: ServiceSecrets,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take an open session, the service, its secrets, and a steady clock in seconds."""
        self.name = service.name
        self._session = session
        self._service = service
        self._secrets = secrets
        self._pace = Pace(service.per_minute, steady)

    async def send(self, message: Message) -> Outcome:
        """Send to the phone that is the message's contact; the page's id comes back in the receipt as `out_id`."""
        if wait := self._pace.take():
            return Outcome(Result.RETRY, Cause.RATE_LIMITED, wait)
        query = query_of(
            {
                "PhoneNumbers": national(message.contact),
                "SignName": self._service.sign,
                "TemplateCode": self._service.template_code,
                "TemplateParam": msgspec.json.encode(parameters_of(self._service, message)).decode(),
                "OutId": str(message.key),
            }
        )
        base = self._service.url.rstrip("/")
        headers = sign(
            self._secrets.key.value,
            self._secrets.secret.value,
            host=self._service.host,
            action="SendSms",
            version="2017-05-25",
            query=query,
            at=datetime.now(UTC),
            nonce=uuid.uuid4().hex,
        )
        url = URL(f"{base}/?{query}", encoded=True)  # sent as it was signed
        answer = await ask(
            self._session,
            "POST",
            url,
            self._service.timeout_seconds,
            read_answer,
            headers=headers,
            explains=True,
        )
        return answer if isinstance(answer, Outcome) else BAD_ANSWER


def national(phone: str) -> str:
    """Write a number as the service wants it: a mainland one without its country code, others without the +."""
    return phone.removeprefix("+86").removeprefix("+")


def parameters_of(service: AliyunSms, message: Message) -> dict[str, str]:
    """Fill in the variables of the template, each in one line and cut to what a variable may hold, counted in characters."""
    return {
        name: one_line(word(template, message, service.parameter_characters, len))
        for name, template in service.parameters.items()
    }


def read_answer(body: bytes) -> Outcome | dict[str, Any]:
    """Say what the body of an answer means."""
    answer = read_object(body)
    if answer is None or not isinstance(answer.get("Code"), str):
        return BAD_ANSWER
    return CODES.get(answer["Code"], REJECTED)
