"""Ed25519 signatures: who holds the private key can make them, who has the public key can check them."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from schemas.errors import UsageError
from warehouse.store.sealed import as_json


class Signer:
    """Signs with a private key, which it never shows."""

    def __init__(self, pem: bytes) -> None:
        """`pem`: the private key as `openssl genpkey -algorithm ed25519` writes it. Raises UsageError."""
        self._pem = pem  # and not the key, which cannot travel to other processes
        if not isinstance(self._key, Ed25519PrivateKey):
            raise UsageError(
                "the signing key is no Ed25519 private key in PEM without a password; make one with 'openssl genpkey "
                "-algorithm ed25519'.",
                "kunci tanda tangan bukan kunci privat Ed25519 dalam PEM tanpa kata sandi; buat dengan 'openssl "
                "genpkey -algorithm ed25519'.",
            )

    @property
    def _key(self) -> Any:
        try:
            return load_pem_private_key(self._pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return None

    def __call__(self, content: bytes) -> str:
        """The signature of bytes, in Base64."""
        return base64.b64encode(self._key.sign(content)).decode()

    def has_signed(self, facts: Mapping[str, Any]) -> bool:
        """Whether facts have a `signature` of this key."""
        return is_signed(self._key.public_key(), facts)

    def __repr__(self) -> str:
        return "Signer(...)"


def public_key(file: Path) -> Ed25519PublicKey:
    """The public key in a PEM file, as `openssl pkey -pubout` writes it. Raises UsageError."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(
            f"{file} is no Ed25519 public key in PEM; make it with 'openssl pkey -in KEY -pubout'.",
            f"{file} bukan kunci publik Ed25519 dalam PEM; buat dengan 'openssl pkey -in KEY -pubout'.",
        )
    return key


def is_signed(key: Ed25519PublicKey, facts: Mapping[str, Any]) -> bool:
    """Whether facts have a `signature` of the key's holder over all else in them, as it is stored."""
    content = as_json({name: value for name, value in facts.items() if name != "signature"})
    try:
        key.verify(base64.b64decode(str(facts.get("signature")), validate=True), content)
    except (ValueError, InvalidSignature):
        return False
    return True
