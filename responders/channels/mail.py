"""E-mail as a channel: one letter to one address over SMTP, encrypted unless the operator says otherwise.

Delivered means that the mail server took the letter (250 after DATA); a later refusal comes back to the sender's mailbox,
which people read. Codes as in RFC 5321, 4.2.1: 4yz is worth another try, 5yz is not.
"""

import asyncio
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from config.services import Smtp
from config.settings import ServiceSecrets
from domain.errors import Fault, InvalidConfiguration
from responders.cases import Cause, Message, Outcome, Result
from responders.channels.asking import DELIVERED, NOT_AUTHORISED, REJECTED, TRY_AGAIN, UNKNOWN_RECIPIENT
from responders.channels.wording import one_line, word

MOST_CHARACTERS = 20_000
MOST_SUBJECT = 200
NO_MAILBOX = frozenset({501, 550, 551, 553})
FOR_NOW = frozenset({450, 451, 452})
"""What servers say of one letter or mailbox for the time being (greylisting, full mailbox): the server itself is well."""
NOT_LET_IN = frozenset({530, 534, 535, 538})


class MailChannel:
    """Sends letters, one connection each: a mail server that hangs holds up one of them."""

    idempotent = False
    outside = True

    def __init__(self, service: Smtp, secrets: ServiceSecrets) -> None:
        """Take the service and its secrets; InvalidConfiguration when its CA file cannot be read."""
        self.name = service.name
        self._service = service
        self._secrets = secrets
        try:
            self._tls = ssl.create_default_context(cafile=service.ca_file)
        except OSError as error:
            where = f"services.toml: {service.name}.ca_file"
            raise InvalidConfiguration(
                [Fault(where, f"cannot be read: {error.strerror or error}")]
            ) from error

    async def send(self, message: Message) -> Outcome:
        """Write to the address that is the message's contact."""
        service = self._service
        try:
            async with asyncio.timeout(service.timeout_seconds):
                await aiosmtplib.send(
                    letter(service, message),
                    hostname=service.host,
                    port=service.port,
                    username=self._secrets.user.value or None,
                    password=self._secrets.password.value or None,
                    timeout=service.timeout_seconds,
                    use_tls=service.security == "tls",
                    start_tls=service.security == "starttls",
                    tls_context=None if service.security == "none" else self._tls,
                    local_hostname=service.sender.rpartition("@")[2],
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return judge_code(error.recipients[0].code)
        except aiosmtplib.SMTPResponseException as error:
            return judge_code(error.code)
        except TimeoutError:  # aiosmtplib's own included
            return Outcome(Result.RETRY, Cause.TIMEOUT)
        except ssl.SSLError:
            return NOT_AUTHORISED  # a certificate that we do not trust
        except OSError:  # aiosmtplib's errors of the connection included
            return Outcome(Result.RETRY, Cause.UNREACHABLE)
        except aiosmtplib.SMTPException:
            return NOT_AUTHORISED  # the server cannot encrypt, or knows no way to sign in: nothing goes in the open
        except ValueError:  # an address that no header may hold
            return UNKNOWN_RECIPIENT
        return DELIVERED


def letter(service: Smtp, message: Message) -> EmailMessage:
    """Write the letter; what came from outside cannot begin a header of its own (CWE-93): it is made one line."""
    mail = EmailMessage()
    mail["From"] = service.sender
    mail["To"] = message.contact
    mail["Subject"] = one_line(word(service.subject, message, MOST_SUBJECT, len))
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = f"<{message.key}@{service.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office notes in answer
    if message.grade <= 2:
        mail["Importance"] = "high"
    mail.set_content(word(service.template, message, MOST_CHARACTERS, len))
    return mail


def judge_code(code: int) -> Outcome:
    """Say what a code of the mail server means."""
    if code in FOR_NOW:
        return Outcome(Result.RETRY, Cause.RATE_LIMITED)
    if 400 <= code < 500:
        return TRY_AGAIN
    if code in NO_MAILBOX:
        return UNKNOWN_RECIPIENT
    if code in NOT_LET_IN:
        return NOT_AUTHORISED
    return REJECTED if 500 <= code < 600 else Outcome(Result.RETRY, Cause.BAD_ANSWER)
