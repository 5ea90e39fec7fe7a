"""What `verify` reports of damage, in Indonesian beside the English that it finds it in. `{}` stands for a name."""

import re

from schemas.sentence import Sentence

DAMAGE = (
    Sentence("tidak dapat dibaca sebagaimana mestinya.", "it cannot be read as what it should be."),
    Sentence("berkas ini tidak ada dalam manifes.", "the file is not in the manifest."),
    Sentence("berkas ini hilang.", "the file is missing."),
    Sentence(
        "berkas ini bukan yang diterbitkan: SHA-256-nya berbeda.",
        "the file is not the one that was published: its SHA-256 differs.",
    ),
    Sentence(
        "tanda terima hilang, atau bukan yang disebut snapshot.",
        "the receipt is missing, or not the one that the snapshot names.",
    ),
    Sentence("ekstrak ini hilang.", "the extract is missing."),
    Sentence(
        "ekstrak ini bukan yang diterima: SHA-256-nya berbeda.",
        "the extract is not the one that was received: its SHA-256 differs.",
    ),
    Sentence("hash isinya bukan yang tercantum dalam manifes.", "its content hash is not the one in the manifest."),
    Sentence(
        "hash isi snapshot bukan hash isi tabel-tabelnya.",
        "the content hash of the snapshot is not that of its tables.",
    ),
    Sentence(
        "belum sampai selesai; proses berikutnya akan membereskannya.",
        "it did not come to its end; the next run brings it in order.",
    ),
    Sentence("sudah dipangkas, tetapi masih ada.", "it was pruned, and is still there."),
    Sentence("tidak ada log yang menyebut snapshot ini.", "no log names this snapshot."),
    Sentence("snapshot ini sudah ditarik, tetapi tidak ditandai.", "the snapshot was withdrawn, and is not marked."),
    Sentence("catatan ini diubah, atau tentang snapshot lain.", "the note was changed, or is of another snapshot."),
    Sentence("catatan ini tidak ditandatangani pemegang kunci.", "the note is not signed by the holder of the key."),
    Sentence(
        "catatan log ini diubah, atau tidak dapat dibaca.", "the entry of the log was changed, or cannot be read."
    ),
    Sentence("catatan log ke-{} hilang atau salah nomor.", "entry {} of the log is missing or misnumbered."),
    Sentence("catatan ini milik log lain.", "the entry is of another log."),
    Sentence(
        "log ini ditulis ulang: catatan sebelumnya bukan yang disebutnya.",
        "the log was rewritten: the entry before is not the one it names.",
    ),
    Sentence(
        "catatan log ini tidak ditandatangani pemegang kunci.", "the entry is not signed by the holder of the key."
    ),
    Sentence(
        "snapshot {} sudah dipangkas, padahal pernah stabil.", "the snapshot {} was pruned, though it was stable."
    ),
    Sentence("snapshot {} yang disebutnya hilang.", "the snapshot {} it names is missing."),
    Sentence("manifes ini bukan yang disebut log.", "the manifest is not the one that the log names."),
    Sentence(
        "catatan log tidak sesuai dengan manifes snapshotnya.",
        "the entry does not say what the manifest of its snapshot says.",
    ),
    Sentence("penunjuk ini tidak sesuai dengan log.", "the pointer does not say what the log says."),
    Sentence("tabel stabil belum sesuai dengan log.", "the stable tables are not yet those that the log says."),
    Sentence("ini bukan tabel dari snapshot yang stabil.", "it is not the table of the stable snapshot."),
    Sentence(
        "sudah diubah, atau tidak ada log yang menyebut snapshot yang mendasarinya.",
        "it was changed, or no log names the snapshot that it stands on.",
    ),
    Sentence("snapshot yang mendasarinya sudah dipangkas.", "the snapshot that it stands on was pruned."),
    Sentence("tidak ditandatangani pemegang kunci.", "it is not signed by the holder of the key."),
    Sentence("malam ini tidak tercatat.", "nothing is written of this night."),
    Sentence("catatan ini diubah, atau tidak dapat dibaca.", "the note was changed, or cannot be read."),
    Sentence("sudah dihapus, tetapi masih ada.", "it was erased, and is still there."),
    Sentence(
        "tanda terima ini diubah, atau tentang ekstrak lain.", "the receipt was changed, or speaks of another extract."
    ),
    Sentence("berkas ini tidak dikenal.", "nothing is known of this file."),
)


def damage_sentence(english: str) -> Sentence:
    """What was found, in both languages."""
    for each in DAMAGE:
        if found := re.fullmatch(re.escape(each.en).replace(r"\{\}", "(.+)"), english):
            return Sentence(each.id.format(*found.groups()), english)
    return Sentence(english, english)
