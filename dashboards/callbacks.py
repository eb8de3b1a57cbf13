"""What services call back with: replies of persons by SMS, and receipts of messages; each kind's form made one."""

from uuid import UUID

from aiohttp import web
from msgspec import Struct

from config.services import AliyunSms, Service
from dashboards.api import reply
from dashboards.keys import store_of
from dashboards.metrics import RECEIPTS, REPLIES
from dashboards.ways import FLOODS, WAYS, caller_of
from domain.decode import decode_json
from domain.errors import InvalidInput, NotFound
from responders.contacts import Keyring, read_phone
from responders.replies import IS_ANSWERED, SENTENCES, Standing, Via, choose, outcome, sentence
from responders.store import Store
from responders.store.replies import local_time

ALIYUN_TAKEN = {"code": 0, "msg": "接收成功"}
"""What Aliyun wants to hear (短信服务 HTTP批量推送); it calls again otherwise."""


class Reply(Struct, frozen=True):
    """What a person wrote back, and from which number."""

    phone: str
    text: str


class Receipt(Struct, frozen=True):
    """Whether the message of a page reached the handset."""

    page: UUID
    ok: bool


class AliyunReply(Struct, frozen=True):
    """One reply as Aliyun tells it (SmsUp)."""

    phone_number: str
    content: str


class AliyunReceipt(Struct, frozen=True):
    """One receipt as Aliyun tells it (SmsReport); `out_id` is the page that we named in sending."""

    success: bool
    out_id: str = ""


async def take_replies(request: web.Request) -> web.Response:
    """Take replies by SMS; the answer says what came of it, in words that may be sent back to the number."""
    service, store = caller_of(request), store_of(request)
    told = [
        await _answer(request, store, service, one) for one in read_replies(service, await request.read())
    ]
    if isinstance(service, AliyunSms):
        return reply(ALIYUN_TAKEN)
    standing, said = told[0]
    return reply({"ok": standing in IS_ANSWERED, "standing": standing, "said": said})


async def take_receipts(request: web.Request) -> web.Response:
    """Take receipts: a page that reached nobody falls over to its recipient's next channel."""
    service, store = caller_of(request), store_of(request)
    receipts = read_receipts(service, await request.read())
    outcomes = [await _receive(store, service, receipt) for receipt in receipts]
    if isinstance(service, AliyunSms):
        return reply(ALIYUN_TAKEN)
    if "unknown" in outcomes:
        raise NotFound
    return reply({"ok": True})


def read_replies(service: Service, body: bytes) -> list[Reply]:
    """Read replies in the service's own form; InvalidInput with every fault."""
    if isinstance(service, AliyunSms):
        return [Reply(one.phone_number, one.content) for one in decode_json(list[AliyunReply], body)]
    return [decode_json(Reply, body)]


def read_receipts(service: Service, body: bytes) -> list[Receipt]:
    """Read receipts in the service's own form; one of Aliyun that names no page of ours is of something else."""
    if not isinstance(service, AliyunSms):
        return [decode_json(Receipt, body)]
    found = []
    for one in decode_json(list[AliyunReceipt], body):
        try:
            found.append(Receipt(UUID(one.out_id), one.success))
        except ValueError:
            RECEIPTS.labels(service.name, "unknown").inc()
    return found


async def _receive(store: Store, service: Service, receipt: Receipt) -> str:
    try:
        news = await store.replies.receive(receipt.page, service.name, reached=receipt.ok)
        outcome = ("reached" if receipt.ok else "failed") if news else "repeated"
    except NotFound:
        outcome = "unknown"
    RECEIPTS.labels(service.name, outcome).inc()
    return outcome


async def _answer(
    request: web.Request, store: Store, service: Service, received: Reply
) -> tuple[Standing, str]:
    """Answer the pages that a reply means; a right code forgives the wrong ones before it."""
    keys = request.app[WAYS].keys
    if keys is None:
        raise web.HTTPNotFound
    number = _digest(keys, service, received.phone)
    if number is None:
        told = (Standing.UNKNOWN, SENTENCES[Standing.UNKNOWN])
    elif request.app[FLOODS].begin("", service.name) or not await store.replies.begin_attempt(
        service.name, number
    ):
        told = (Standing.LIMITED, SENTENCES[Standing.LIMITED])
    else:
        told = await _choose(store, keys, service, number, received.text)
        if told[0] not in (Standing.UNKNOWN, Standing.AMBIGUOUS):
            await store.replies.forgive(service.name, number)
    REPLIES.labels(Via.SMS.value, told[0].value).inc()
    return told


def _digest(keys: Keyring, service: Service, phone: str) -> bytes | None:
    try:
        return keys.digest(
            service.name, read_phone(phone if phone.startswith(("+", "0", "1")) else f"+{phone}")
        )
    except InvalidInput:
        return None


async def _choose(
    store: Store, keys: Keyring, service: Service, number: bytes, text: str
) -> tuple[Standing, str]:
    pages = choose(text, await store.replies.pages_to(service.name, number), keys.code)
    codes = {keys.code(page) for page in pages}
    if not pages:
        return Standing.UNKNOWN, SENTENCES[Standing.UNKNOWN]
    if len(codes) < len(pages):
        return Standing.AMBIGUOUS, SENTENCES[Standing.AMBIGUOUS]
    told: dict[UUID, tuple[Standing, str]] = {}
    for page in pages:
        if page in told:  # a letter's code told of it before
            continue
        for seen, standing in await store.replies.answer_letter(page, Via.SMS):
            told.setdefault(seen.page, (standing, f"{seen.title}：{sentence(standing, seen, local_time)}"))
    return outcome([standing for standing, _ in told.values()]), "\n".join(said for _, said in told.values())
