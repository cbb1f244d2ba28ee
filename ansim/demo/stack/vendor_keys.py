"""Keys that vendors would hand out: made once for the demo, as files in the vendors' own formats."""

import base64
import datetime
import ipaddress
import json
import os
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TEN_YEARS = datetime.timedelta(days=3650)
_PEM = serialization.Encoding.PEM
_PKCS8 = serialization.PrivateFormat.PKCS8
_OPEN = serialization.NoEncryption()


def write_private(path: Path, content: str | bytes) -> None:
    """Writes the file as a whole or not at all, readable by its owner only."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)


def signing_key(kid: str) -> str:
    """A fresh P-256 key as settings take it: `kid:base64 of its PKCS8 DER`."""
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(serialization.Encoding.DER, _PKCS8, _OPEN)
    return f"{kid}:{base64.b64encode(der).decode()}"


def fcm_service_account(path: Path, *, token_uri: str) -> None:
    """Google's service-account file; kept as it is but for `token_uri`, which follows the world's port."""
    if path.is_file():
        account = json.loads(path.read_text())
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        account = {
            "type": "service_account",
            "project_id": "ansim-demo",
            "private_key_id": secrets.token_hex(20),
            "private_key": key.private_bytes(_PEM, _PKCS8, _OPEN).decode(),
            "client_email": "push@ansim-demo.iam.gserviceaccount.com",
            "client_id": str(10**20 + secrets.randbelow(10**20)),
        }
    if account.get("token_uri") != token_uri:
        write_private(path, json.dumps(account | {"token_uri": token_uri}, indent=2))


def apns_token_key(path: Path) -> None:
    """Apple's .p8 file: the EC key that signs provider tokens."""
    if not path.is_file():
        write_private(path, ec.generate_private_key(ec.SECP256R1()).private_bytes(_PEM, _PKCS8, _OPEN))


def apns_certificates(folder: Path) -> None:
    """A certificate authority (`apns-ca.pem`) and the server certificate of the simulated APNs for this machine."""
    files = [folder / name for name in ("apns-ca.pem", "apns-server.pem", "apns-server.key")]
    if all(file.is_file() for file in files):
        return
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _authority(ca_key)
    server = _server(server_key, issuer=ca, issuer_key=ca_key)
    write_private(files[0], ca.public_bytes(_PEM))
    write_private(files[1], server.public_bytes(_PEM))
    write_private(files[2], server_key.private_bytes(_PEM, _PKCS8, _OPEN))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(key: ec.EllipticCurvePrivateKey, *, subject: str, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + TEN_YEARS)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = "Ansim demo APNs CA"
    return (
        _certificate(key, subject=name, issuer=_named(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey, *, issuer: x509.Certificate, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        _certificate(key, subject="localhost", issuer=issuer.subject)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(authority, critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
