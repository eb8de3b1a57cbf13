"""A group chat as a channel: a bot of WeCom, DingTalk or Feishu posts the page where the duty room looks."""

import time
from collections.abc import Callable

import aiohttp

from config.chats import Chat
from config.settings import ChatSecrets
from responders.cases import Cause, Message, Outcome, Result
from responders.channels.bots import BOTS, read_answer
from responders.channels.pace import Pace
from responders.channels.webhook import judge_status, read_body
from responders.channels.wording import word


class ChatChannel:
    """Posts pages to one chat, no faster than its service bears.

    Not idempotent: the services know no key by which they would tell a repetition. A page over the bound of a minute is not
    sent but comes back when there is room, since a bot that is too fast is shut out for ten minutes with everything it has.
    """

    idempotent = False
    outside = True

    def __init__(
        self,
        session: aiohttp.ClientSession,
        chat: Chat,
        secrets: ChatSecrets,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take an open session with its timeout, the chat and its secrets; clocks in seconds, of the wall and for pacing."""
        self.name = chat.name
        self._session = session
        self._chat = chat
        self._bot = BOTS[chat.kind]
        self._secrets = secrets
        self._wall = wall
        self._pace = Pace(chat.per_minute, steady)

    async def send(self, message: Message) -> Outcome:
        """Post a message."""
        if wait := self._pace.take():
            return Outcome(Result.RETRY, Cause.RATE_LIMITED, wait)
        text = word(self._chat.template, message, self._bot.most_bytes)
        request = self._bot.request(
            self._chat.url, self._secrets.token.value, self._secrets.secret.value, text, self._wall()
        )
        try:
            async with self._session.post(request.url, json=request.body, allow_redirects=False) as response:
                bad = judge_status(response.status, response.headers.get("Retry-After"))
                return bad or read_answer(self._bot, await read_body(response))
        except TimeoutError:
            return Outcome(Result.RETRY, Cause.TIMEOUT)
        except aiohttp.ClientConnectorError:
            return Outcome(Result.RETRY, Cause.UNREACHABLE)
        except (aiohttp.ClientError, OSError):  # broken off: it may have been sent all the same
            return Outcome(Result.RETRY, Cause.BAD_ANSWER)
