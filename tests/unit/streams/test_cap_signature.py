"""Signatures of CAP messages: whose they are, whether they fit, and what is done without one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cap_world import message
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.signer import XMLSigner

from domain.errors import InvalidConfiguration, InvalidInput
from streams.cap.reading import read_cap
from streams.cap.signature import Signature, Trust, WrongSignature

Key = ec.EllipticCurvePrivateKey


def make(name: str, days: int = 365) -> tuple[Key, x509.Certificate]:
    """Make a key and its certificate, which may be over already."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begin = datetime.now(UTC) - timedelta(days=400)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


OFFICE, STRANGER, FORMER = make("office"), make("stranger"), make("former", days=-1)


def sign(data: bytes, by: tuple[Key, x509.Certificate], *, with_certificate: bool = True) -> bytes:
    """Sign a message as an office does."""
    root = etree.fromstring(data)
    signer = XMLSigner(signature_algorithm="ecdsa-sha256")
    signed = signer.sign(root, key=by[0], cert=[by[1]] if with_certificate else None)
    return bytes(etree.tostring(signed))


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """Trust the office, by a PEM file, and a former one, by a DER file."""
    (tmp_path / "office.pem").write_bytes(OFFICE[1].public_bytes(serialization.Encoding.PEM))
    (tmp_path / "former.der").write_bytes(FORMER[1].public_bytes(serialization.Encoding.DER))
    (tmp_path / "README").write_text("certificates of offices")
    return Trust.read(tmp_path)


def test_a_signature_of_a_trusted_office_is_valid(trust: Trust) -> None:
    """The message is read, and its signature counts."""
    reading = read_cap(sign(message(), OFFICE), trust)
    assert reading.signature is Signature.VALID
    assert reading.alert == read_cap(message()).alert
    assert reading.notes == ()


@pytest.mark.parametrize("by", [STRANGER, FORMER], ids=["stranger", "expired"])
def test_a_signature_of_somebody_unknown_is_noted(trust: Trust, by: tuple[Key, x509.Certificate]) -> None:
    """It fits the message, but proves nothing: neither does that of a certificate that is over."""
    reading = read_cap(sign(message(), by), trust)
    assert reading.signature is Signature.UNKNOWN_SIGNER
    assert "not among the trusted certificates" in reading.notes[0]


def test_no_signature_is_none(trust: Trust) -> None:
    """A message without one is read; whether it is accepted is a setting."""
    assert read_cap(message(), trust).signature is Signature.NONE


@pytest.mark.parametrize("by", [OFFICE, STRANGER])
def test_a_message_that_was_changed_is_refused(trust: Trust, by: tuple[Key, x509.Certificate]) -> None:
    """One changed word, and nothing of it counts, whoever signed."""
    changed = sign(message(), by).replace(b"Severe", b"Extreme")
    with pytest.raises(WrongSignature) as caught:
        read_cap(changed, trust)
    assert "the signature does not fit the message" in str(caught.value)
    assert "line " in str(caught.value)


def test_a_borrowed_certificate_does_not_help(trust: Trust) -> None:
    """A stranger who encloses the office's certificate has signed with another key."""
    with pytest.raises(WrongSignature):
        read_cap(sign(message(), (STRANGER[0], OFFICE[1])), trust)


def test_a_signature_of_a_part_is_refused(trust: Trust) -> None:
    """What is not covered could say anything."""
    partial = sign(message(), OFFICE).replace(b'URI=""', b'URI="#info"')
    with pytest.raises(InvalidInput) as caught:
        read_cap(partial, trust)
    assert "must cover the whole message" in str(caught.value)


def test_nonsense_in_a_signature_is_no_accident(trust: Trust) -> None:
    """A value that is none is a wrong signature; a certificate that is none leaves nobody to ask."""
    signed = sign(message(), OFFICE)

    def broken(begin: bytes) -> bytes:
        head, _, tail = signed.partition(begin)
        return head + begin + b"AAAA" + tail[tail.index(b"</") :]

    with pytest.raises(WrongSignature):
        read_cap(broken(b"SignatureValue>"), trust)
    assert read_cap(broken(b"X509Certificate>"), Trust()).signature is Signature.UNKNOWN_SIGNER


def test_a_folder_with_something_else_is_told(tmp_path: Path) -> None:
    """Every file that is no certificate is named, and so is a folder that is not there."""
    (tmp_path / "a.pem").write_text("hello")
    (tmp_path / "b.crt").write_bytes(b"\x30\x03")
    with pytest.raises(InvalidConfiguration) as caught:
        Trust.read(tmp_path)
    assert [fault.field for fault in caught.value.faults] == ["cap.trusted_folder"] * 2
    with pytest.raises(InvalidConfiguration):
        Trust.read(tmp_path / "none")
