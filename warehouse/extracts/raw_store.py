"""The raw store: extracts as they were sent, by content, written once, each with a receipt."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from schemas.contract.refusals import Refusal
from schemas.errors import DamagedStore, UsageError, did_you_mean
from warehouse.code import code_identity
from warehouse.store.sealed import read_all_sealed, read_sealed, sealed
from warehouse.store.store import AlreadyThere, Store

LARGEST = 200_000_000
RECEIPTS, WITHDRAWN, ERASED, REFUSED = "raw/receipts", "raw/withdrawn", "raw/erased", "raw/refused"
UNREAD = "raw/unreadable"
OPENED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
KINDS = {  # of the dictionary's kinds
    stat.S_ISDIR: "folder",
    stat.S_ISLNK: "link",
    stat.S_ISFIFO: "pipe",
    stat.S_ISSOCK: "socket",
    stat.S_ISCHR: "device",
    stat.S_ISBLK: "device",
}


@dataclass(frozen=True)
class Receipt:
    """What is known of an extract when it is admitted. Times are UTC."""

    source: str
    file_name: str
    size: int
    sha256: str
    received_at: datetime
    admitted_at: datetime
    is_synthetic: bool

    @property
    def identity(self) -> dict[str, Any]:
        """What every row of the extract is identified by."""
        return {
            "source": self.source,
            "file_name": self.file_name,
            "extract_sha256": self.sha256,
            "received_at": self.received_at,
            "is_synthetic": self.is_synthetic,
        }

    @property
    def key(self) -> str:
        """Where the extract's bytes are."""
        return raw_key(self.sha256)


def raw_key(sha256: str) -> str:
    """Where the bytes of a digest are."""
    return f"raw/sha256/{sha256[:2]}/{sha256}"


def read_extract(store: Store, receipt: Receipt) -> bytes:
    """The bytes of an extract. Raises DamagedStore where they are not those that were received."""
    try:
        content = store.read(receipt.key)
    except FileNotFoundError:
        if note := erasures(store).get(receipt.sha256):
            raise UsageError(
                f"the extract {receipt.file_name} was erased at {note['erased_at']} ({note['reason']}), so nothing "
                "that rests on it can be computed again; what was published of it stays.",
                f"ekstrak {receipt.file_name} dihapus pada {note['erased_at']} ({note['reason']}), sehingga angka yang "
                "bertumpu padanya tidak dapat dihitung lagi; yang sudah diterbitkan tetap ada.",
            ) from None
        raise DamagedStore(
            f"{receipt.key}: the extract {receipt.file_name} is missing.",
            f"{receipt.key}: ekstrak {receipt.file_name} tidak ada.",
        ) from None
    if hashlib.sha256(content).hexdigest() != receipt.sha256:
        raise DamagedStore(
            f"{receipt.key}: the extract {receipt.file_name} is not the one that was received.",
            f"{receipt.key}: ekstrak {receipt.file_name} bukan yang dahulu diterima.",
        )
    return content


def file_content(path: Path) -> bytes:
    """The bytes of a regular file. Raises Refusal for anything else, without opening it.

    What is opened is looked at once more, and never waited for: another thing may have replaced it meanwhile. Links
    among the folders above the file are followed.
    """
    try:
        _must_be_a_file(path.lstat())
        with os.fdopen(os.open(path, OPENED), "rb") as file:
            _must_be_a_file(os.fstat(file.fileno()))
            content = file.read(LARGEST + 1)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Refusal("not_a_file", kind="link") from error
        raise Refusal("file_unreadable", reason=error.strerror) from error
    if len(content) > LARGEST:
        raise Refusal("too_large", most=LARGEST // 1_000_000)
    return content


def _must_be_a_file(facts: os.stat_result) -> None:
    mode = facts.st_mode
    if not stat.S_ISREG(mode):
        kind = next((kind for is_kind, kind in KINDS.items() if is_kind(mode)), "no_regular_file")
        raise Refusal("not_a_file", kind=kind)


def known_receipt(store: Store, source: str, sha256: str) -> Receipt | None:
    """The receipt of an extract that was admitted before: the same bytes from the same source are one extract."""
    key = receipt_key(source, sha256)
    return _receipt(store, key) if store.exists(key) else None


def admit_extract(
    store: Store, content: bytes, file_name: str, source: str, is_synthetic: bool, received_at: datetime, now: datetime
) -> Receipt:
    """Admit an extract that is not known yet: its bytes first, its receipt last."""
    digest = keep_content(store, content)
    return write_receipt(store, Receipt(source, file_name, len(content), digest, received_at, now, is_synthetic))


def keep_content(store: Store, content: bytes) -> str:
    """Keep the bytes of an extract; their digest."""
    digest = hashlib.sha256(content).hexdigest()
    with suppress(AlreadyThere):
        store.create(raw_key(digest), content)
    return digest


def write_receipt(store: Store, receipt: Receipt) -> Receipt:
    """Write the receipt of an extract whose bytes are kept. Whoever was faster is in the right."""
    key = receipt_key(receipt.source, receipt.sha256)
    try:
        store.create(key, sealed(asdict(receipt)))
    except AlreadyThere:
        return _receipt(store, key)
    return receipt


def extract_called(store: Store, name: str) -> Receipt:
    """The one extract whose digest begins so, or that was sent under that file name. Raises UsageError."""
    every = receipts(store, sorted({key.split("/")[2] for key in store.keys(RECEIPTS)}))
    source, _, digest = name.rpartition("/")
    found = [
        each
        for each in every
        if (each.sha256.startswith(digest) and source in ("", each.source)) or each.file_name == name
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        names = {each.file_name for each in every}
        raise UsageError(
            f"there is no extract '{name}' in {store.url}; 'kerawanan extracts list' shows them."
            f"{did_you_mean(name, names)}",
            f"tidak ada ekstrak '{name}' dalam {store.url}; 'kerawanan extracts list' menampilkan semuanya."
            f"{did_you_mean(name, names, 'id')}",
        )
    listed = ", ".join(f"{each.source}/{each.sha256[:12]} ({each.file_name})" for each in found[:5])
    raise UsageError(
        f"'{name}' can be {len(found)} extracts: {listed}; name one so.",
        f"'{name}' dapat berarti {len(found)} ekstrak: {listed}; sebutkan salah satunya demikian.",
    )


def withdraw_extract(store: Store, receipt: Receipt, reason: str, now: datetime) -> dict[str, Any]:
    """Withdraw an extract: nights from today on no longer count it. It stays where it is. Raises UsageError."""
    note = {"source": receipt.source, "sha256": receipt.sha256, "withdrawn_at": now, "reason": reason}
    try:
        store.create(f"{WITHDRAWN}/{receipt.source}/{receipt.sha256}.json", sealed(note))
    except AlreadyThere:
        name = f"{receipt.file_name} ({receipt.sha256[:12]})"
        raise UsageError(f"{name} was withdrawn before.", f"{name} sudah pernah ditarik.") from None
    return note


def withdrawals(store: Store) -> dict[tuple[str, str], dict[str, Any]]:
    """What was withdrawn, when (`withdrawn_at`) and why, by source and digest. Raises DamagedStore."""
    notes = {}
    for note in read_all_sealed(store, store.keys(WITHDRAWN)):
        note["withdrawn_at"] = datetime.fromisoformat(note["withdrawn_at"])
        notes[note["source"], note["sha256"]] = note
    return notes


def erase_extract(store: Store, receipt: Receipt, reason: str, now: datetime) -> dict[str, Any]:
    """Remove the bytes of a withdrawn extract for good, and all rows kept of it; a note stays. Raises UsageError."""
    withdrawn = withdrawals(store)
    sources = sorted({key.split("/")[2] for key in store.keys(RECEIPTS)})
    for each in receipts(store, sources):
        if each.sha256 == receipt.sha256 and (each.source, each.sha256) not in withdrawn:
            raise UsageError(
                f"{each.file_name} of {each.source} still counts; withdraw it first, then erase it.",
                f"{each.file_name} dari {each.source} masih dihitung; tarik dahulu, lalu hapus.",
            )
    note = {"sha256": receipt.sha256, "erased_at": now, "reason": reason}
    try:
        store.create(f"{ERASED}/{receipt.sha256}.json", sealed(note))
    except AlreadyThere:
        if not store.exists(receipt.key):  # else an earlier try was interrupted
            name = f"{receipt.file_name} ({receipt.sha256[:12]})"
            raise UsageError(f"{name} was erased before.", f"{name} sudah pernah dihapus.") from None
    for key in (receipt.key, *store.keys("cache")):  # what is kept of extracts is made anew where it is needed
        store.delete(key)
    return note


def erasures(store: Store) -> dict[str, dict[str, Any]]:
    """What was erased, when (`erased_at`) and why, by digest."""
    return {note["sha256"]: note for note in read_all_sealed(store, store.keys(ERASED))}


def note_refusal(
    store: Store, file_name: str, sha256: str, size: int, source: str | None, refusal: Refusal, now: datetime
) -> None:
    """Note that a file was refused, so that its sender can be notified; its bytes are not kept."""
    file = {"file_name": file_name, "source": source, "sha256": sha256, "size": size, "refused_at": now}
    why = {"reason": refusal.reason("en"), "reason_id": refusal.reason("id"), "rule": refusal.rule}
    with suppress(AlreadyThere):
        store.create(f"{REFUSED}/{sha256}-{source or 'unknown'}.json", sealed(file | why))


def note_unreadable(store: Store, sha256: str, reading: str, facts: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Note that reading an extract so (`reading`: as source and code) ended the process that read it, within which
    limits (`memory`, `seconds`), and in a sentence why (`reason`).
    """
    key = f"{UNREAD}/{sha256}/{reading}-{facts['memory']}-{facts['seconds']}.json"
    note = {"sha256": sha256, "reading": reading, **facts, "code": code_identity(), "noted_at": now}
    with suppress(AlreadyThere):
        store.create(key, sealed(note))
    return note


def unreadable(store: Store) -> list[dict[str, Any]]:
    """What ended the processes that read it."""
    return read_all_sealed(store, store.keys(UNREAD))


def refusals(store: Store) -> list[dict[str, Any]]:
    """The files that were refused, in the order of their names."""
    notes = read_all_sealed(store, store.keys(REFUSED))
    return sorted(notes, key=lambda note: (note["file_name"], note["sha256"]))


def receipts(store: Store, sources: Iterable[str]) -> list[Receipt]:
    """The receipts of some sources, in the order received."""
    keys = [key for source in sources for key in store.keys(f"{RECEIPTS}/{source}")]
    found = [_receipt_of(data) for data in read_all_sealed(store, keys)]
    return sorted(found, key=lambda each: (each.received_at, each.sha256, each.source))


def receipt_key(source: str, digest: str) -> str:
    """Where the receipt of an extract is."""
    return f"{RECEIPTS}/{source}/{digest}.json"


def _receipt(store: Store, key: str) -> Receipt:
    return _receipt_of(read_sealed(store, key))


def _receipt_of(data: dict[str, Any]) -> Receipt:
    times = {name: datetime.fromisoformat(data[name]) for name in ("received_at", "admitted_at")}
    return Receipt(**{**data, **times})
