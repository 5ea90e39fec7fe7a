"""What an extract is packed in: gzip and zip are opened here, within bounds, in memory and without touching a file."""

import gzip
import io
import lzma
import zipfile
import zlib
from typing import IO, NamedTuple

from schemas.contract.refusals import Refusal

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
LARGEST_CONTENT = 250_000_000  # bytes, unpacked
MOST_MEMBERS = 1_000
BLOCK = 1 << 20
# What reading a broken archive raises: of the archive itself, of what it is packed with, of members that are missing.
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(KeyError, OSError, EOFError, RuntimeError, ValueError),
)


class Part(NamedTuple):
    """One file of an extract: its name inside an archive (None where the extract is the file itself), its bytes."""

    name: str | None
    content: bytes


def member_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """What the members of an archive are called, by their names in small letters with forward slashes.

    Raises Refusal where two have one name: one reader would take this, another that.
    """
    called: dict[str, str] = {}
    for name in archive.namelist():
        plain = name.lower().replace("\\", "/")
        if plain in called:
            raise Refusal("archive_file_twice", file=name)
        called[plain] = name
    return called


def is_workbook(content: bytes) -> bool:
    """Whether a zip archive is an Office workbook (XLSX, ODS) and not an archive of files. Raises Refusal."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except BROKEN as error:
        raise Refusal("archive_or_workbook_broken", reason=_reason(error)) from error
    return bool(names & {"[Content_Types].xml", "mimetype"})


def unpacked(content: bytes) -> list[Part]:
    """The files of an extract, in the order of their names. Raises Refusal for what is broken, locked or too large."""
    if content.startswith(GZIP):
        part = _gunzipped(content)
        _refuse_archive(part, Refusal("archive_in_gzip"))
        return [Part(None, part)]
    if content.startswith(b"PK\x05\x06"):
        raise Refusal("archive_empty")
    if content.startswith(ZIP) and not is_workbook(content):
        return _members(content)
    return [Part(None, content)]


def _gunzipped(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return _bounded(file)
    except BROKEN as error:
        raise Refusal("gzip_broken", reason=_reason(error)) from error


def _members(content: bytes) -> list[Part]:
    parts: list[Part] = []
    left = LARGEST_CONTENT
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir() and not _is_litter(each.filename)]
            if len(members) > MOST_MEMBERS:
                raise Refusal("too_many_files", files=len(members), most=MOST_MEMBERS)
            member_names(archive)
            for member in sorted(members, key=lambda each: each.filename):
                if member.flag_bits & 1:
                    raise Refusal("archive_locked")
                with archive.open(member) as file:
                    parts.append(Part(member.filename, _bounded(file, left)))
                left -= len(parts[-1].content)
                _refuse_archive(parts[-1].content, Refusal("archive_in_archive", file=member.filename))
    except BROKEN as error:
        raise Refusal("archive_broken", reason=_reason(error)) from error
    if not parts:
        raise Refusal("archive_empty")
    return parts


def is_panic(error: BaseException) -> bool:
    """Whether compiled code of a reader gave up on what it read; its exception derives from BaseException alone."""
    return type(error).__name__ == "PanicException"


def _refuse_archive(content: bytes, refusal: Refusal) -> None:
    if content.startswith(GZIP) or (content.startswith(ZIP) and not is_workbook(content)):
        raise refusal


def _is_litter(name: str) -> bool:
    """What operating systems leave in archives: never a table."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in (".DS_Store", "Thumbs.db")


def _bounded(file: IO[bytes] | gzip.GzipFile, most: int = LARGEST_CONTENT) -> bytes:
    blocks: list[bytes] = []
    size = 0
    while block := file.read(BLOCK):
        size += len(block)
        if size > most:
            raise Refusal("too_large_unpacked", most=LARGEST_CONTENT // 1_000_000)
        blocks.append(block)
    return b"".join(blocks)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
