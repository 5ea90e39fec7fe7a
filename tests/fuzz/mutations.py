"""Damage to files: of bytes, of lines and figures, and of what lies inside an archive."""

import gzip
import io
import random
import zipfile
from collections.abc import Callable, Sequence

ODD = (
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b'"',
    b'""',
    b"'",
    b'"\n',
    b"\r",
    b"\r\n",
    b"\x1a",
    b";",
    b",",
    b"\t",
    b"|",
    b"%",
    b" %",
    b"-",
    b"+",
    b"=1+1",
    b"1e309",
    b"-1e309",
    b"1E400",
    b"9" * 40,
    b"9" * 400,
    b"9" * 5_000,
    b"18446744073709551616",
    b"-9223372036854775809",
    b"1.234",
    b"1,234",
    b"1.234,5",
    b"0.077",
    b"12,5 %",
    b"NaN",
    b"Infinity",
    b"-inf",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"{",
    b"}",
    b"[" * 2_000,
    b'{"a":' * 1_000,
    b'\\"',
    b"\\ud800",
    b"\\udfff\\ud800",
    b"\\u0000",
    b"&#0;",
    b"&#xD800;",
    b"&amp;",
    b"&x;",
    b"<",
    b"<!--",
    b"<![CDATA[",
    b"</row>",
    b"<f>1+1</f>",
    "\u0663\u0664".encode(),
    "\uff11\uff12".encode(),
    "\u202e\u200f\u200b".encode(),
    "e\u0301".encode(),
    "\u2028".encode(),
    "\u0085".encode(),
    "\u00a0".encode(),
    "\U0001f600".encode(),
    "\ufdfa".encode() * 20,
    "\ufffe\uffff".encode(),
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\x80\x93",
)


def flip_bits(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _count in range(luck.choice((1, 1, 2, 8, 40))):
        changed[luck.randrange(len(changed))] ^= 1 << luck.randrange(8)
    return bytes(changed)


def drop_range(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    start, length = _range(data, luck)
    return data[:start] + data[start + length :]


def double_range(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    start, length = _range(data, luck)
    return data[: start + length] + data[start : start + length] * luck.choice((1, 1, 3, 50)) + data[start + length :]


def insert_noise(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    place = luck.randrange(len(data) + 1)
    return data[:place] + luck.randbytes(luck.choice((1, 2, 16, 300))) + data[place:]


def insert_odd(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    place = luck.choice((0, len(data), luck.randrange(len(data) + 1)))
    return data[:place] + luck.choice(ODD) + data[place:]


def truncate(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    return data[: luck.randrange(len(data))] if luck.random() < 0.8 else data[luck.randrange(len(data)) :]


def swap_lines(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    first, second = luck.randrange(len(lines)), luck.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def splice(data: bytes, luck: random.Random, others: Sequence[bytes]) -> bytes:
    other = luck.choice(others)
    return data[: luck.randrange(len(data) + 1)] + other[luck.randrange(len(other) + 1) :]


def replace_figures(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    """Other digits, other separators, or something odd where a figure stands."""
    wanted = luck.choice((b"0123456789", b",.;", b"\t |\n", b"<>\"'=/&", b"0123456789.,"))
    places = [place for place, byte in enumerate(data) if byte in wanted]
    changed = bytearray(data)
    for place in sorted(luck.sample(places, min(len(places), luck.choice((1, 3, 20)))), reverse=True):
        changed[place : place + 1] = luck.choice((luck.choice(b"0123456789.,;-%\t\" '").to_bytes(), luck.choice(ODD)))
    return bytes(changed)


def swap_all(data: bytes, luck: random.Random, _: Sequence[bytes]) -> bytes:
    """One mark for another all through the file."""
    marks = (b";", b",", b".", b"\t", b'"', b"'", b" ", b"\n", b"\r\n", b"0", b"5", b":")
    before, after = luck.sample(marks, 2)
    return data.replace(before, after)


BLIND: tuple[Callable[[bytes, random.Random, Sequence[bytes]], bytes], ...] = (
    flip_bits,
    drop_range,
    double_range,
    insert_noise,
    insert_odd,
    truncate,
    swap_lines,
    splice,
    replace_figures,
    replace_figures,
    insert_odd,
    swap_all,
)


def _range(data: bytes, luck: random.Random) -> tuple[int, int]:
    return luck.randrange(len(data)), luck.choice((1, 2, 5, 40, max(1, len(data) // 4)))


def damaged(data: bytes, luck: random.Random, others: Sequence[bytes]) -> bytes:
    """One to four kinds of damage."""
    for _ in range(luck.choice((1, 1, 1, 2, 2, 4))):
        if data:
            data = luck.choice(BLIND)(data, luck, others)
    return data


def mutated(content: bytes, luck: random.Random, others: Sequence[bytes]) -> bytes:
    """A file damaged: from outside, or (three times in four) inside what it is packed in, packed again."""
    if luck.random() < 0.25:
        return damaged(content, luck, others)
    if content.startswith(b"\x1f\x8b"):
        return gzip.compress(mutated(gzip.decompress(content), luck, others), 1, mtime=0)
    if not content.startswith(b"PK\x03\x04"):
        return damaged(content, luck, others)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(member.filename, archive.read(member)) for member in archive.infolist()]
    # What holds cells is hit more often than what holds properties.
    heavy = [place for place, (name, _) in enumerate(members) if any(part in name for part in ("sheet", "hared", "."))]
    heavy += 4 * [place for place, (name, _) in enumerate(members) if "sheet1" in name or "content.xml" in name]
    for _ in range(luck.choice((1, 1, 2))):
        place = luck.choice(heavy)
        name, inner = members[place]
        members[place] = name, damaged(inner, luck, [each for _, each in members if each] + list(others))
    if luck.random() < 0.05:
        members.pop(luck.randrange(len(members)))
    return packed(members)


def packed(members: Sequence[tuple[str, bytes]]) -> bytes:
    """A zip archive of members, the same bytes every time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, inner in members:
            archive.writestr(zipfile.ZipInfo(name), inner)
    return out.getvalue()
