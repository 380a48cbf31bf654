"""E-mail by SMTP."""

from __future__ import annotations

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiosmtplib

from .letters import Letter, NotSent

PORTS = {"smtp": 25, "smtps": 465}
_UNPARSABLE = (ValueError, IndexError, HeaderParseError)  # what `Address` gives for no address


class Server(NamedTuple):
    """Where mail goes out. `start_tls` None: where the server has it."""

    hostname: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    start_tls: bool | None


def read_server(url: str) -> Server:
    """smtp:// or smtps://. Raises ValueError, which does not tell it."""
    expected = "expected smtp://[USER:PASSWORD@]HOST:PORT or smtps://..."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(expected)
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    from_the_first_byte = parts.scheme == "smtps"
    return Server(
        parts.hostname,
        port or PORTS[parts.scheme],
        user,
        password,
        from_the_first_byte,
        False if from_the_first_byte else (True if user else None),
    )


def read_sender(text: str) -> Address:
    """`NAME <ADDRESS>`. Raises ValueError."""
    name, address = parseaddr(text)
    try:
        return Address(name, addr_spec=address)
    except _UNPARSABLE:
        raise ValueError("expected NAME <ADDRESS>") from None


class Mail:
    """Sends letters over the server at `url`."""

    def __init__(self, url: str, sender: str, timeout: float) -> None:
        self._server = read_server(url)
        self._from = read_sender(sender)
        self._timeout = timeout

    async def send(self, letter: Letter) -> None:
        """Raises NotSent."""
        message = self._message(letter)
        try:
            await aiosmtplib.send(message, timeout=self._timeout, **self._server._asdict())
        except aiosmtplib.SMTPRecipientsRefused as error:
            final = all(each.code >= 500 for each in error.recipients)
            raise NotSent("the mail server takes nothing for the recipient", final=final) from error
        except aiosmtplib.SMTPAuthenticationError as error:  # the operator may mend it
            raise NotSent("the mail server does not know us") from error
        except aiosmtplib.SMTPNotSupported as error:
            raise NotSent("the mail server cannot take it", final=True) from error
        except aiosmtplib.SMTPResponseException as error:
            final = error.code >= 500
            raise NotSent(f"the mail server answered {error.code}", final=final) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotSent("the mail server does not answer") from error

    def _message(self, letter: Letter) -> EmailMessage:
        content = letter.content or {}
        message = EmailMessage()
        try:
            message["To"] = Address(addr_spec=letter.recipient)
        except _UNPARSABLE:
            raise NotSent("the recipient's address is none", final=True) from None
        message["From"] = self._from
        message["Subject"] = content["subject"]
        message["Date"] = formatdate()
        # The same however often it is tried, so that mailboxes can tell.
        message["Message-ID"] = f"<{letter.id}@{self._from.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers it by a machine
        message.set_content(content["body"])
        return message
