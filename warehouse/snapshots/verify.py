"""Proof: everything is hashed again. Whatever was changed, removed or added is named."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from schemas.errors import UsageError, did_you_mean
from warehouse.extracts.raw_store import ERASED, RECEIPTS, REFUSED, UNREAD, WITHDRAWN, erasures, raw_key, receipt_key
from warehouse.snapshots.channels import (
    CHANNELS,
    LOGS,
    MANIFEST,
    UNFINISHED,
    WITHDRAWN_MARK,
    gone,
    head,
    is_log_key,
    log_entries,
    log_folder,
    named,
    pointer_key,
    snapshot_folder,
    stable_folder,
)
from warehouse.snapshots.nights import night_key
from warehouse.store.sealed import sealed
from warehouse.store.store import Store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from warehouse.snapshots.damage import Damage, digest, guarded, manifest, opened, snapshot_damage


def verify(store: Store, snapshot_id: str | None = None, key: "Ed25519PublicKey | None" = None) -> dict[str, Any]:
    """Hash again one snapshot (an unambiguous beginning will do) or all, with the extracts they rest on, and the logs,
    pointers, nights and stable tables of their editions. With a public key every entry of a log and every night must be
    signed, and nothing that lags behind the logs is excused.

    Returns what was verified, the damage found, and what an interrupted run left to be finished by the next. Raises
    UsageError where there is nothing of that name.
    """
    folders = {"/".join(each.split("/")[:3]) for each in store.keys("snapshots")}
    chosen = sorted(each for each in folders if each.rpartition("/")[2].startswith(snapshot_id or ""))
    every = [*chosen, *(each for folder in ("log", "channels", "nights", UNFINISHED) for each in store.keys(folder))]
    editions = sorted({each.split("/")[1] for each in (chosen if snapshot_id else every) if each.count("/") > 1})
    if not chosen and (snapshot_id or not editions):
        what = f"snapshot '{snapshot_id}'" if snapshot_id else "snapshot"
        names = [each.rpartition("/")[2] for each in folders]
        raise UsageError(
            f"there is no {what} in {store.url}; 'kerawanan snapshots list' shows them."
            f"{did_you_mean(snapshot_id or '', names)}",
            f"tidak ada {what} dalam {store.url}; 'kerawanan snapshots list' menampilkan semuanya."
            f"{did_you_mean(snapshot_id or '', names, 'id')}",
        )
    damage: list[Damage] = []
    unfinished: list[Damage] = []
    for edition in editions:
        begun = _notes(store, edition)
        found = Edition(store, edition, key, {each for note in begun.values() if (each := note.get("snapshot_id"))})
        found.look([each for each in chosen if each.split("/")[1] == edition])
        damage += found.damage
        begun |= _notes(store, edition)  # also of what began while this looked
        (unfinished if begun and not key else damage).extend(found.lag)
        unfinished += [Damage(each, "it did not come to its end; the next run brings it in order.") for each in begun]
    if not snapshot_id:
        damage += guarded("raw", _raw_damage, store)
        damage += guarded(store.url, _added, store, editions)
    return {
        "verified": [base.rpartition("/")[2] for base in chosen],
        "damage": [each._asdict() for each in dict.fromkeys(damage)],
        "unfinished": [each._asdict() for each in dict.fromkeys(unfinished)],
        "store": store.url,
    }


def _notes(store: Store, edition: str) -> dict[str, dict[str, Any]]:
    """The notes of work on an edition that did not come to its end, by their keys."""
    return {key: opened(store, key) or {} for key in store.keys(f"{UNFINISHED}/{edition}")}


class Edition:
    """What is wrong with an edition: `damage`, and `lag`, what is only behind the logs, as an interrupted run leaves
    it.
    """

    def __init__(self, store: Store, edition: str, key: "Ed25519PublicKey | None", half: set[str]) -> None:
        """`half`: the snapshots that somebody is writing, or was."""
        self.store, self.edition, self.key, self.half = store, edition, key, half
        self.damage: list[Damage] = []
        self.lag: list[Damage] = []
        self.gone: set[str] = set()

    def look(self, chosen: list[str]) -> None:
        """Look at logs first; if they are whole, at all that is derived of them."""
        self.damage += guarded(log_folder(self.edition, "fate"), self._fate_damage)
        for log in LOGS:
            self.damage += guarded(log_folder(self.edition, log), self._log_damage, log)
        if self.damage:
            for base in chosen:
                withdrawal_mark = opened(self.store, f"{base}/{WITHDRAWN_MARK}")  # what it should say is not known
                self.damage += guarded(base, snapshot_damage, self.store, base, withdrawal_mark)
            return
        logged, withdrawn = (named(self.store, self.edition, log) for log in ("candidate", "withdrawn"))
        for base in chosen:
            snapshot_id = base.rpartition("/")[2]
            if snapshot_id in self.gone:
                self.lag.append(Damage(base, "it was pruned, and is still there."))
            elif snapshot_id in logged:
                self.damage += guarded(base, snapshot_damage, self.store, base, withdrawn.get(snapshot_id))
            elif snapshot_id not in self.half:
                self.damage.append(Damage(base, "no log names this snapshot."))
        for snapshot_id in withdrawn.keys() - self.gone:
            mark = f"{snapshot_folder(self.edition, snapshot_id)}/{WITHDRAWN_MARK}"
            if not self.store.exists(mark):
                self.lag.append(Damage(mark, "the snapshot was withdrawn, and is not marked."))
        for channel in CHANNELS:
            self.damage += guarded(pointer_key(self.edition, channel), self._pointer, channel)
        self.damage += guarded(stable_folder(self.edition), self._stable)
        self.damage += guarded(f"nights/{self.edition}", self._nights, logged)

    def _fate_damage(self) -> list[Damage]:
        """What is wrong with the notes of which snapshots were pruned; those that were are `gone` from now on."""
        damage = []
        for key in self.store.keys(log_folder(self.edition, "fate")):
            note = opened(self.store, key)
            if note is None or not key.endswith(f"/{note['snapshot_id']}.json"):
                damage.append(Damage(key, "the note was changed, or is of another snapshot."))
            elif self.key and note["fate"] == "pruned" and not self._is_signed(note):
                damage.append(Damage(key, "the note is not signed by the holder of the key."))
        self.gone = set() if damage else gone(self.store, self.edition)
        return damage

    def _is_signed(self, facts: Mapping[str, Any]) -> bool:
        from warehouse.store.signing import is_signed

        return self.key is None or is_signed(self.key, facts)

    def _log_damage(self, log: str) -> list[Damage]:
        """What is wrong with the entries of a log, and with the manifests that they name."""
        damage: list[Damage] = []
        previous: str | None = None
        for number, key in enumerate(self.store.keys(log_folder(self.edition, log)), start=1):
            entry = opened(self.store, key)
            if entry is None:
                return [*damage, Damage(key, "the entry of the log was changed, or cannot be read.")]
            if entry["number"] != number or not key.endswith(f"/{number:06}.json"):
                damage.append(Damage(key, f"entry {number} of the log is missing or misnumbered."))
            if (entry["edition"], entry["channel"]) != (self.edition, log):
                damage.append(Damage(key, "the entry is of another log."))
            if entry["previous_sha256"] != previous:
                damage.append(Damage(key, "the log was rewritten: the entry before is not the one it names."))
            if not self._is_signed(entry):
                damage.append(Damage(key, "the entry is not signed by the holder of the key."))
            previous = digest(self.store.read(key))
            damage += self._named_damage(key, entry)
        return damage

    def _named_damage(self, key: str, entry: Mapping[str, Any]) -> list[Damage]:
        """What is wrong with the manifest that an entry of a log names."""
        snapshot_id = entry["snapshot_id"]
        if snapshot_id is None:
            return []
        if snapshot_id in self.gone:
            is_kept = entry["channel"] != "candidate"
            return [Damage(key, f"the snapshot {snapshot_id} was pruned, though it was stable.")] if is_kept else []
        base = snapshot_folder(self.edition, str(snapshot_id))
        if not self.store.exists(f"{base}/{MANIFEST}"):
            return [Damage(key, f"the snapshot {snapshot_id} it names is missing.")]
        if digest(self.store.read(f"{base}/{MANIFEST}")) != entry["manifest_sha256"]:
            return [Damage(f"{base}/{MANIFEST}", "the manifest is not the one that the log names.")]
        facts, _ = manifest(self.store, base)
        names = ("edition", "snapshot_id", "content_hash", "methodology_digest", "is_held", "is_synthetic")
        if any(facts[name] != entry[name] for name in names):
            return [Damage(key, "the entry does not say what the manifest of its snapshot says.")]
        return []

    def _pointer(self, channel: str) -> list[Damage]:
        """Whether the pointer of a channel says what the log says, or said once."""
        entry, pointer = head(self.store, self.edition, channel), pointer_key(self.edition, channel)
        there = self.store.read(pointer) if self.store.exists(pointer) else None
        if there == (sealed(entry) if entry else None):
            return []
        earlier = {sealed(each) for each in log_entries(self.store, self.edition, channel)}
        found = Damage(pointer, "the pointer does not say what the log says.")
        if there is None or there in earlier:
            self.lag.append(found)
            return []
        return [found]

    def _stable(self) -> list[Damage]:
        """Whether the stable tables are those of the stable snapshot, or of one that was stable once."""
        entry, folder = head(self.store, self.edition, "stable"), stable_folder(self.edition)
        shown = {key.removeprefix(f"{folder}/"): digest(self.store.read(key)) for key in self.store.keys(folder)}
        wanted = self._tables(entry)
        if shown == wanted:
            return []
        once = [each for each in log_entries(self.store, self.edition, "stable") if each["snapshot_id"]]
        earlier = [{}, *(self._tables(each) for each in once)]
        if shown in earlier or (self.store.is_remote and _is_mixed(shown, earlier)):
            self.lag.append(Damage(folder, "the stable tables are not yet those that the log says."))
            return []
        return [
            Damage(f"{folder}/{name}", "it is not the table of the stable snapshot.")
            for name in sorted(wanted.keys() | shown.keys())
            if wanted.get(name) != shown.get(name)
        ]

    def _tables(self, entry: Mapping[str, Any] | None) -> dict[str, str]:
        """The hash of each table of the snapshot of an entry, by file name."""
        if entry is None:
            return {}
        _, files = manifest(self.store, snapshot_folder(self.edition, entry["snapshot_id"]))
        return {path.removeprefix("tables/"): each for path, each in files.items() if path.startswith("tables/")}

    def _nights(self, logged: Mapping[str, Any]) -> list[Damage]:
        """What is wrong with what is written of nights; each of which a candidate was made has its own."""
        damage = []
        keys = self.store.keys(f"nights/{self.edition}")
        for key in keys:
            night = opened(self.store, key)
            if night is None or night["snapshot_id"] not in logged or not key.endswith(f"/{night['as_of']}.json"):
                damage.append(Damage(key, "it was changed, or no log names the snapshot that it stands on."))
            elif night["snapshot_id"] in self.gone:
                damage.append(Damage(key, "the snapshot that it stands on was pruned."))
            elif not self._is_signed(night):
                damage.append(Damage(key, "it is not signed by the holder of the key."))
        made = {night_key(self.edition, each["as_of"]) for each in log_entries(self.store, self.edition, "candidate")}
        self.lag += [Damage(key, "nothing is written of this night.") for key in sorted(made - set(keys))]
        return damage


def _raw_damage(store: Store) -> list[Damage]:
    """What is wrong with extracts, receipts and notes."""
    damage = [
        Damage(key, "the extract is not the one that was received: its SHA-256 differs.")
        for key in store.keys("raw/sha256")
        if key != raw_key(digest(store.read(key)))
    ]
    notes = [
        Damage(key, "the note was changed, or cannot be read.")
        for folder in (WITHDRAWN, ERASED, REFUSED, UNREAD)
        for key in store.keys(folder)
        if (note := opened(store, key)) is None or str(note["sha256"]) not in key
    ]
    erased = set() if notes else set(erasures(store))
    damage += [
        Damage(raw_key(each), "it was erased, and is still there.") for each in erased if store.exists(raw_key(each))
    ]
    for key in store.keys(RECEIPTS):
        receipt = opened(store, key)
        if receipt is None or receipt_key(receipt["source"], receipt["sha256"]) != key:
            damage.append(Damage(key, "the receipt was changed, or speaks of another extract."))
        elif receipt["sha256"] not in erased and not store.exists(raw_key(receipt["sha256"])):
            damage.append(Damage(raw_key(receipt["sha256"]), "the extract is missing."))
    return [*damage, *notes]


def _added(store: Store, editions: list[str]) -> list[Damage]:
    """Files where nothing of that name belongs."""
    shown = tuple(f"{stable_folder(each)}/" for each in editions)
    raw = tuple(f"{each}/" for each in (WITHDRAWN, ERASED, REFUSED, UNREAD, RECEIPTS, "raw/sha256"))
    pointers = {pointer_key(edition, channel) for edition in editions for channel in CHANNELS}
    belongs: dict[str, Callable[[str], bool]] = {
        "raw": lambda key: key.startswith(raw),
        "stable": lambda key: key.startswith(shown),
        "channels": lambda key: key in pointers,
        "log": is_log_key,
        "nights": lambda key: re.fullmatch(r"nights/[^/]+/\d{4}-\d{2}-\d{2}\.json", key) is not None,
        "snapshots": lambda key: key.count("/") > 2,
    }
    return [
        Damage(key, "nothing is known of this file.")
        for folder, does in belongs.items()
        for key in store.keys(folder)
        if not does(key)
    ]


def _is_mixed(shown: Mapping[str, str], tables: list[dict[str, str]]) -> bool:
    """Whether each file that is shown is a table of some stable snapshot: they are copied one by one on a server."""
    return all(any(each.get(name) == found for each in tables) for name, found in shown.items())
