"""JSON as it is stored: sealed with a hash over itself, so that any change to it is noticed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from schemas.errors import DamagedStore
from warehouse.store.store import Store


def as_json(data: Any) -> bytes:
    """JSON as it is stored: indented, in the order given, times in ISO 8601, one line break at the end."""

    def plain(value: Any) -> str:
        return value.isoformat() if isinstance(value, date) else str(value)

    return (json.dumps(data, indent=1, ensure_ascii=False, default=plain) + "\n").encode(errors="backslashreplace")


def sealed(data: Mapping[str, Any]) -> bytes:
    """JSON as it is stored, with a SHA-256 over all of it as its last field, so that any change to it is noticed."""
    return as_json({**data, "seal": hashlib.sha256(as_json(data)).hexdigest()})


def unsealed(content: bytes) -> dict[str, Any]:
    """What `sealed` wrote. Raises ValueError where a byte of it differs."""
    data = json.loads(content)
    if not isinstance(data, dict) or not data.pop("seal", None) or sealed(data) != content:
        raise ValueError("the seal does not fit")
    return data


def read_sealed(store: Store, key: str) -> dict[str, Any]:
    """What `sealed` wrote at a key. Raises DamagedStore where it was changed, and FileNotFoundError."""
    return _opened(key, store.read(key))


def read_all_sealed(store: Store, keys: Sequence[str]) -> list[dict[str, Any]]:
    """What `sealed` wrote at keys that never change. Raises as `read_sealed`."""
    return [_opened(key, content) for key, content in zip(keys, store.read_kept(keys), strict=True)]


def _opened(key: str, content: bytes) -> dict[str, Any]:
    try:
        return unsealed(content)
    except ValueError:
        raise DamagedStore(
            f"{key}: it was changed, or cannot be read.", f"{key}: sudah diubah, atau tidak dapat dibaca."
        ) from None
