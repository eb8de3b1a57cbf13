"""The enveloped XML signature of a CAP message, checked against certificates that the operator trusts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from domain.errors import Fault, InvalidConfiguration, InvalidInput
from streams.cap.document import Document

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der"})
_FAILURES = (SignXMLException, InvalidSignature, UnsupportedAlgorithm, etree.LxmlError, ValueError, TypeError)
"""What signxml and what it stands on raise for a signature that is wrong or of no use."""


class WrongSignature(InvalidInput):
    """The message does not fit its signature."""


class Signature(StrEnum):
    """What a message's signature is worth. A wrong one is none of these: the message is refused."""

    NONE = "none"
    VALID = "valid"
    UNKNOWN_SIGNER = "unknown-signer"


@dataclass(frozen=True, slots=True)
class Trust:
    """The signers' own certificates; not those of authorities, so that nobody is trusted by another's word."""

    certificates: tuple[x509.Certificate, ...] = ()

    @classmethod
    def read(cls, folder: Path | None) -> Self:
        """Read every certificate of a folder; InvalidConfiguration names each file that is none."""
        if folder is None:
            return cls()
        if not folder.is_dir():
            raise InvalidConfiguration([Fault("cap.trusted_folder", f"{folder} is not a folder")])
        found: list[x509.Certificate] = []
        faults = []
        for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES):
            try:
                found += _certificates(path.read_bytes())
            except (ValueError, OSError):
                faults.append(Fault("cap.trusted_folder", f"{path.name} is not an X.509 certificate"))
        if faults:
            raise InvalidConfiguration(faults)
        return cls(tuple(found))

    def check(self, document: Document) -> Signature:
        """Check the signature if there is one; WrongSignature when it does not fit, or covers less than the message."""
        signature = document.root.find(f"{DS}Signature")
        if signature is None:
            return Signature.NONE
        references = signature.findall(f"{DS}SignedInfo/{DS}Reference")
        if [reference.get("URI") for reference in references] != [""]:
            raise WrongSignature([document.fault(signature, "the signature must cover the whole message")])
        if any((part.get("Algorithm") or "").endswith("sha1") for part in signature.iter("*")):
            return Signature.UNKNOWN_SIGNER  # SHA-1 proves nothing any more
        whole = etree.tostring(document.root.getroottree())
        now = datetime.now(UTC)
        for certificate in self.certificates:
            if _holds(whole, certificate, now):
                return Signature.VALID
        embedded = _embedded(signature)
        if embedded is not None and _holds(whole, embedded, embedded.not_valid_before_utc):
            return Signature.UNKNOWN_SIGNER
        if embedded is None and (_holds(whole, None, now) or not self.certificates):
            return Signature.UNKNOWN_SIGNER
        reason = (
            "the signature does not fit the message: it was changed on its way, or signed with another key"
        )
        raise WrongSignature([document.fault(signature, reason)])


def _certificates(data: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN CERTIFICATE-----" in data:
        return x509.load_pem_x509_certificates(data)
    return [x509.load_der_x509_certificate(data)]


def _embedded(signature: etree._Element) -> x509.Certificate | None:
    text = signature.findtext(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")
    if text is None:
        return None
    try:
        return x509.load_pem_x509_certificate(
            b"-----BEGIN CERTIFICATE-----\n" + text.strip().encode() + b"\n-----END CERTIFICATE-----\n"
        )
    except ValueError:
        return None


def _holds(whole: bytes, certificate: x509.Certificate | None, at: datetime) -> bool:
    """Say whether the signature fits message and certificate, valid at that time; without one, the key that it brings."""
    expected = SignatureConfiguration(
        require_x509=certificate is not None, location="./", verification_time=at
    )
    try:
        result = XMLVerifier().verify(whole, x509_cert=certificate, expect_config=expected)
    except _FAILURES:
        return False
    return isinstance(result, VerifyResult) and result.signed_xml is not None
