"""Words that answers share, in Indonesian and English: heads of columns, and what coded values are called.

The English word is the one that tables, JSON and SQL have, so that it can be typed.
"""

from collections.abc import Iterable

from schemas.sentence import Sentence

# Coded values: outcomes of nights, fates of extracts, states of figures, levels, approaches, origins.
VALUES = {
    "published": "diterbitkan",
    "unchanged": "tidak berubah",
    "held": "ditahan",
    "failed": "gagal",
    "killed": "terhenti",
    "running": "berjalan",
    "planned": "direncanakan",
    "done": "selesai",
    "computes": "dihitung",
    "stands": "sama",
    "empty": "kosong",
    "admitted": "diterima",
    "withdrawn": "ditarik",
    "erased": "dihapus",
    "refused": "ditolak",
    "unknown": "tidak dikenal",
    "used": "dipakai",
    "confirming": "menguatkan",
    "superseded": "digantikan",
    "conflicting": "bertentangan",
    "incomplete": "tidak lengkap",
    "blank": "kosong",
    "computed": "dihitung",
    "entered": "dimasukkan",
    "rolled_up": "gabungan",
    "entered_category": "hanya kategori",
    "entered_rank": "hanya peringkat",
    "national": "nasional",
    "province": "provinsi",
    "regency_city": "kabupaten/kota",
    "district": "kecamatan",
    "village": "desa/kelurahan",
    "polling_station": "TPS",
    "no region": "tanpa wilayah",
    "no approach": "tanpa pendekatan",
    "input": "masukan",
    "rollup": "gabungan",
    "candidate": "calon",
    "stable": "stabil",
    "synthetic": "simulasi",
    "real": "nyata",
    "broken": "rusak",
    "none": "tidak ada",
    "any": "semua",
}

HEADS = {
    "rank": "peringkat",
    "region_level": "tingkat",
    "approach": "pendekatan",
    "region_code": "kode",
    "region_name": "wilayah",
    "regions": "wilayah",
    "change": "perubahan",
    "score": "skor",
    "computed_score": "skor hitungan",
    "category": "kategori",
    "origin": "asal",
    "score_before": "skor lama",
    "score_after": "skor baru",
    "rank_before": "peringkat lama",
    "rank_after": "peringkat baru",
    "category_before": "kategori lama",
    "category_after": "kategori baru",
    "edition": "edisi",
    "status": "status",
    "nodes": "simpul",
    "title": "judul",
    "node_code": "simpul",
    "parent_code": "induk",
    "level": "tingkat",
    "weight": "bobot",
    "normalisation": "normalisasi",
    "aggregation": "penggabungan",
    "evidence": "bukti",
    "name_en": "nama",
    "node": "simpul",
    "basis": "dasar",
    "note": "catatan",
    "extract": "ekstrak",
    "source": "sumber",
    "file": "berkas",
    "received (UTC)": "diterima (UTC)",
    "state": "keadaan",
    "snapshot": "snapshot",
    "as_of": "malam",
    "stands for": "sebagai",
    "data": "data",
    "content": "isi",
    "rows": "angka",
    "admitted": "diterima",
    "sha256": "sha256",
    "read as": "dibaca sebagai",
    "column": "kolom",
    "format": "format",
    "layout": "susunan",
    "precedence": "prioritas",
    "pattern": "pola nama",
    "run_id": "proses",
    "night": "malam",
    "outcome": "hasil",
    "extracts": "ekstrak",
    "rows_quarantined": "dikarantina",
    "seconds": "detik",
    "step": "langkah",
    "snapshot_id": "snapshot",
    "reason": "sebab",
    "like": "sama dengan",
    "started_at": "mulai",
    "same_inputs_as_run": "sama dengan proses",
}


def value(code: str | None) -> Sentence:
    """What a coded value is called; what is not coded, such as a category of an edition, stays as it is."""
    text = code or ""
    return Sentence(VALUES.get(text, text), text)


def head(column: str) -> Sentence:
    """The title of a column."""
    return Sentence(HEADS[column], column)


def joined(parts: Iterable[Sentence], between: str = ", ") -> Sentence:
    """Sentences one after the other."""
    every = list(parts)
    return Sentence(between.join(each.id for each in every), between.join(each.en for each in every))


def more(count: int) -> Sentence:
    """The sentence about those that are not shown."""
    return Sentence(f"... dan {count} lagi", f"... and {count} more")
