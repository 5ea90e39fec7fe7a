"""Extracts that were read before: kept by what reading them depends on, so that none of it can change unnoticed."""

import hashlib
import io

import polars as pl

from schemas.methodology.sources import Source
from warehouse.code import reading_identity
from warehouse.store.store import Store


def parsed_key(sha256: str, source: Source) -> str:
    """Where the rows of an extract are kept: by its bytes, the entry of its source, and the code that reads it."""
    names = f"{sha256}\0{source.model_dump_json()}\0{reading_identity()}"
    digest = hashlib.sha256(names.encode()).hexdigest()
    return f"cache/parsed/{digest[:2]}/{digest}"


def as_kept(rows: pl.DataFrame) -> bytes:
    """The rows of an extract as they are kept."""
    content = io.BytesIO()
    rows.write_ipc_stream(content, compression="lz4")  # a small frame is written and read in a tenth of Parquet's time
    return content.getvalue()


def from_kept(content: bytes) -> pl.DataFrame:
    """The rows of an extract that were kept so."""
    return pl.read_ipc_stream(io.BytesIO(content))


def kept_rows(store: Store, key: str) -> bytes | None:
    """What is kept under a key; None where there is nothing, or where it is not what was written."""
    try:
        whole = store.read(key)
    except FileNotFoundError:
        return None
    digest, content = whole[:32], whole[32:]
    return content if hashlib.sha256(content).digest() == digest else None


def keep_rows(store: Store, key: str, content: bytes) -> None:
    """Keep the rows of an extract, with their digest before them."""
    store.replace(key, hashlib.sha256(content).digest() + content)
