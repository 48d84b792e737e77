"""An OpenID Connect issuer of the tests' own, over HTTPS, where containers reach it."""

import contextlib
import datetime
import ipaddress
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

AUDIENCE: Final = "predictions"

_KEY_ID = "the only one"


@dataclass(frozen=True)
class Issuer:
    """An issuer that answers.

    Attributes
    ----------
    address : str
        What its tokens name in ``iss``.
    key : RSAPrivateKey
        What signs them.
    """

    address: str
    key: rsa.RSAPrivateKey

    def token(self, **changed: object) -> str:
        """Sign a token that would be accepted, but for what is changed."""
        now = int(time.time())
        claims = {"iss": self.address, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 600}
        return jwt.encode(claims | changed, self.key, "RS256", headers={"kid": _KEY_ID})


@contextlib.contextmanager
def serving(address: str, certificate: Path) -> Iterator[Issuer]:
    """Serve an issuer while the block runs; `certificate` gets what its callers must trust."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate.write_bytes(_certificate(address, key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, _write_key(certificate.with_suffix(".key"), key))
    documents: dict[str, Any] = {}
    server = ThreadingHTTPServer((address, 0), _handler(documents))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer = Issuer(f"https://{address}:{server.server_port}", key)
    documents |= _documents(issuer)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _documents(issuer: Issuer) -> dict[str, Any]:
    public = json.loads(RSAAlgorithm.to_jwk(issuer.key.public_key()))
    return {
        "/.well-known/openid-configuration": {
            "issuer": issuer.address,
            "jwks_uri": f"{issuer.address}/keys",
        },
        "/keys": {"keys": [public | {"kid": _KEY_ID, "use": "sig"}]},
    }


def _handler(documents: dict[str, Any]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(documents[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def _certificate(address: str, key: rsa.RSAPrivateKey) -> bytes:
    """Sign a certificate for an address with its own key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(identifier, critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _write_key(path: Path, key: rsa.RSAPrivateKey) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
