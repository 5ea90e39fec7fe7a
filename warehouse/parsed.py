"""Extracts that were read before: kept by what reading them depends on, so that none of it can change unnoticed."""

import hashlib
import io

import polars as pl

from schemas.sources import Source
from warehouse.code import code_identity
from warehouse.store import Store


def parsed_key(sha256: str, source: Source) -> str:
    """Where the rows of an extract are kept: by its bytes, the entry of its source, and the code that reads it."""
    names = f"{sha256}\0{source.model_dump_json()}\0{code_identity()}"
    digest = hashlib.sha256(names.encode()).hexdigest()
    return f"cache/parsed/{digest[:2]}/{digest}"


def kept_rows(store: Store, key: str) -> pl.DataFrame | None:
    """The rows kept under a key; None where there are none, or where they are not what was written."""
    if not store.exists(key):
        return None
    whole = store.read(key)
    digest, content = whole[:32], whole[32:]
    return pl.read_parquet(io.BytesIO(content)) if hashlib.sha256(content).digest() == digest else None


def keep_rows(store: Store, key: str, rows: pl.DataFrame) -> None:
    """Keep the rows of an extract, with their digest before them."""
    content = io.BytesIO()
    rows.write_parquet(content, compression="lz4", statistics=False)
    store.replace(key, hashlib.sha256(content.getvalue()).digest() + content.getvalue())
