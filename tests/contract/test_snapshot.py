"""What outside tools rely on: store, manifest, tables, Parquet profile, exit codes, verification."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import polars as pl
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from flows.night.request import Night
from schemas.contract.tables import POLARS_TYPES
from schemas.methodology.library import Methodology
from tests.conftest import EDITION, EXTRACTS, Answer, Nights, Published

Cli = Callable[..., Answer]
Bundled = tuple[Nights, Night]

# Locked: a column that goes, or gets another name or type, breaks readers.
COLUMNS = {
    "index_score": "edition period as_of region_level region_code region_name parent_region_code approach origin score "
    "computed_score rank regions_ranked category score_lowest score_highest rank_best rank_worst indicators_expected "
    "indicators_reported indicators_evidenced is_synthetic snapshot_id",
    "node_score": "edition period as_of region_level region_code region_name parent_region_code approach node_code "
    "parent_node_code node_level score computed_score origin weight effective_weight contribution rank category "
    "children_expected children_present is_synthetic snapshot_id",
    "indicator_value": "edition period as_of region_level region_code approach node_code raw_value treated_value "
    "normalised_value status extract_count numerator denominator regions_counted is_synthetic snapshot_id",
    "cut_off": "edition period region_level approach node_code category lower upper closed_side basis n evidence "
    "snapshot_id",
    "scaling": "edition period region_level approach node_code method lowest highest cap n n_needed basis evidence "
    "is_synthetic snapshot_id",
    "roll_up": "edition period region_level approach from_region_level from_approach method min_share snapshot_id",
    "region": "code level name parent kind valid_from valid_to code_2020 code_bps law",
    "crosswalk": "region_code region_level region_name valid_from valid_to current_code current_name relation carries "
    "population_share note changed_on law",
    "edition": "edition period title_id title_en edition_status revision reference_period regions_date territory "
    "scale_lowest scale_highest comparability publications snapshot_id",
    "reporting": "edition period as_of region_level region_code region_name parent_region_code approach "
    "indicators_expected indicators_reported indicators_reported_zero indicators_imputed indicators_missing "
    "indicators_evidenced is_silent is_synthetic snapshot_id",
    "not_reported": "edition period as_of region_level region_code region_name parent_region_code approach node_code "
    "name_id name_en status is_silent is_synthetic snapshot_id",
    "methodology_node": "edition node_code parent_node_code node_level kind name_id name_en weight effective_weight "
    "direction unit normalisation aggregation missing source_item denominator_item per evidence note snapshot_id",
    "quality_result": "run_id scope check severity subject observed expected message_id message_en",
    "observation": "edition period as_of region_level region_code approach node_code value value_sent state correction "
    "source file_name extract_sha256 sheet row reference is_synthetic snapshot_id",
}


def folder(bundled: Bundled) -> Path:
    nights, night = bundled
    return nights.store / "snapshots" / EDITION / night.snapshot_id


def manifest(bundled: Bundled) -> Any:
    return json.loads((folder(bundled) / "datapackage.json").read_text())


def test_tables_have_the_columns_and_types_of_the_dictionary(bundled: Bundled, methodology: Methodology) -> None:
    dictionary = methodology.dictionary
    assert set(dictionary.published) == set(COLUMNS)
    for name, columns in COLUMNS.items():
        frame = pl.read_parquet(folder(bundled) / f"tables/{name}.parquet")
        assert frame.columns == columns.split()
        for column in frame.columns:
            described = dictionary.columns[column]
            wanted = POLARS_TYPES[described.type]
            assert frame[column].dtype == wanted or (wanted == pl.Int64 and frame[column].dtype.is_integer()), column
            if not described.null_when:
                assert frame[column].null_count() == 0, (name, column)
            if described.values and described.type == "text":
                assert set(frame[column].drop_nulls()) <= set(described.values), (name, column)
        key = list(dictionary.tables[name].key)
        assert frame.select(key).is_duplicated().sum() == 0, name
        assert frame.equals(frame.sort(key, nulls_last=name != "cut_off")), name


def test_parquet_is_written_for_every_reader(bundled: Bundled) -> None:
    for file in (folder(bundled) / "tables").iterdir():
        meta = pq.read_metadata(file)
        for group in range(meta.num_row_groups):
            for index in range(meta.num_columns):
                column = meta.row_group(group).column(index)
                assert column.compression == "SNAPPY"
                assert set(column.encodings) <= {"PLAIN", "RLE", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "BIT_PACKED"}
                assert "." not in column.path_in_schema


def test_manifest_is_a_valid_data_package_that_names_everything(bundled: Bundled, methodology: Methodology) -> None:
    data = manifest(bundled)
    assert data["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    frictionless.Package.validate_descriptor(data)
    assert not list(frictionless.Package.metadata_validate(data))
    present = {path.relative_to(folder(bundled)).as_posix() for path in folder(bundled).rglob("*") if path.is_file()}
    assert {each["path"] for each in data["resources"]} == present - {"datapackage.json"}
    for each in data["resources"]:
        content = (folder(bundled) / each["path"]).read_bytes()
        assert each["bytes"] == len(content)
        assert each["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    facts = data["kerawanan"]
    assert facts["methodology_digest"] == methodology.digest
    assert facts["predecessor"] is None
    assert facts["code"]["version"]
    assert {each["file_name"] for each in facts["inputs"]} == {path.name for path in EXTRACTS.iterdir()}
    for each in facts["inputs"]:
        assert each["rows"] == each["rows_admitted"]
        stored = bundled[0].store / "raw/sha256" / each["sha256"][:2] / each["sha256"]
        assert stored.read_bytes() == (EXTRACTS / each["file_name"]).read_bytes()
    assert str(Path.home()) not in json.dumps(data)
    assert str(bundled[0].store) not in json.dumps(data)


def test_store_has_the_places_that_others_rely_on(bundled: Bundled) -> None:
    nights, night = bundled
    store = nights.store
    for channel in ("candidate", "stable"):
        entry = json.loads((store / f"log/{EDITION}/{channel}/000001.json").read_text())
        assert entry["snapshot_id"] == night.snapshot_id
        assert entry == json.loads((store / f"channels/{EDITION}/{channel}.json").read_text())
    assert json.loads((store / f"nights/{EDITION}/2026-01-31.json").read_text())["snapshot_id"] == night.snapshot_id
    assert (store / f"stable/v1/{EDITION}/index_score.parquet").read_bytes() == (
        folder(bundled) / "tables/index_score.parquet"
    ).read_bytes()
    assert (store / "runs/run-001/run.json").exists()
    query = f"select count(*) from read_parquet('{store}/stable/v1/{EDITION}/index_score.parquet')"
    assert duckdb.execute(query).fetchall() == [(584,)]


def test_workbook_for_people(bundled: Bundled) -> None:
    book = CalamineWorkbook.from_path(str(folder(bundled) / "exports/index_score.xlsx"))
    assert book.sheet_names == ["Indeks", "Batas kategori", "Temuan"]
    rows = book.get_sheet_by_name("Indeks").to_python()
    assert len(rows) == 585
    first = dict(zip(rows[0], rows[1], strict=True))
    assert first["region_code"] == "ID"
    codes = {row[rows[0].index("region_code")] for row in rows[1:]}
    assert "11.10" in codes


@pytest.mark.slow
def test_nothing_that_was_sent_becomes_a_formula(nights: Nights, inbox: Path) -> None:
    for number, data in enumerate(["=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "{=1}"]):
        called = data.replace("/", "")
        for name in ("buku-ikp-2024", "rerata-nasional-2022-12-16"):
            # Blank lines at the end make another file of it that says the same.
            (inbox / f"{name} {called}.csv").write_text((EXTRACTS / f"{name}.csv").read_text() + number * "\n")
            (inbox / f"{name}.csv").unlink(missing_ok=True)
        (inbox / f"siaran-pers-provinsi {called}.csv").write_text(
            f'Provinsi;Variabel;Skor;Alamat sumber\nAceh;Input provinsi;39;"{data}"\nBali;Input provinsi;{data};x\n'
        )
    night = nights.run(inbox)
    assert len(nights.record()["inputs"]) == 7 - 2 + 3 * 4
    book = nights.store / "snapshots" / EDITION / night.snapshot_id / "exports/index_score.xlsx"
    import zipfile

    with zipfile.ZipFile(book) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        assert sheets
        assert not any(b"<f>" in archive.read(name) for name in sheets)


def test_verify_finds_nothing_on_a_whole_store_and_names_each_damage(
    published: Published, tmp_path: Path, kerawanan: Cli
) -> None:
    whole, first = published[0].store, published[1]
    assert first.outcome == "published"
    assert kerawanan("snapshots", "verify", "--store", whole).code == 0
    snapshot = kerawanan("snapshots", "list", "--store", whole, "--format", "json").json["snapshots"][0]["snapshot_id"]
    base = f"snapshots/{EDITION}/{snapshot}"

    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(bytes(content))

    def edit(path: Path) -> None:
        path.write_text(path.read_text().replace(snapshot, snapshot[::-1]))

    damages: dict[str, tuple[Callable[[Path], object], str]] = {
        f"{base}/tables/index_score.parquet": (flip, "SHA-256 differs"),
        f"{base}/tables/region.parquet": (Path.unlink, "is missing"),
        f"{base}/tables/extra.parquet": (lambda path: path.write_bytes(b"x"), "not in the manifest"),
        f"{base}/methodology/sources.yml": (flip, "SHA-256 differs"),
        f"{base}/datapackage.json": (lambda path: path.write_text("{"), "cannot be read"),
        f"log/{EDITION}/stable/000001.json": (edit, "was changed"),
        f"channels/{EDITION}/stable.json": (edit, "pointer"),
    }
    for place, (damage, sentence) in damages.items():
        hurt = tmp_path / "hurt"
        shutil.copytree(whole, hurt, symlinks=True)
        damage(hurt / place)
        answer = kerawanan("snapshots", "verify", "--store", hurt, "--format", "json")
        assert answer.code == 1, place
        assert any(sentence in each["sentence"] for each in answer.json["damage"]), (place, answer.json)
        shutil.rmtree(hurt)
    stable = whole / f"stable/v1/{EDITION}"
    target = stable.resolve()
    stable.unlink()
    shutil.copytree(target, stable)
    assert kerawanan("snapshots", "verify", "--store", whole).code == 0
    flip(stable / "cut_off.parquet")
    answer = kerawanan("snapshots", "verify", snapshot, "--store", whole)
    assert answer.code == 1
    assert "cut_off.parquet" in answer.out


@pytest.mark.slow
def test_answers_for_people_and_for_programs(tmp_path: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAWANAN_STORE", str(tmp_path / "store"))
    run = kerawanan("run", "--edition", EDITION, "--inbox", EXTRACTS)
    assert run.code == 0
    for said in (
        "published",
        "DKI Jakarta",
        "88.95",
        "88.951",
        "21 sedang",
        "77,04 was corrected to 74,04",
        "sources disagree",
        "Quarantined",
        "kerawanan snapshots show",
        str(tmp_path / "store/snapshots"),
    ):
        assert said in run.out, said
    again = kerawanan("run", "--edition", EDITION, "--format", "json")
    assert (again.code, again.err) == (0, "")
    assert again.json["outcome"] == "unchanged"
    text = kerawanan("run", "--edition", EDITION)
    assert "unchanged" in text.out
    assert "Snapshot     published as" not in text.out
    listed = kerawanan("snapshots", "list")
    assert "candidate, stable" in listed.out
    shown = kerawanan("snapshots", "show", again.json["snapshot_id"][:12])
    assert "siaran-pers-provinsi-2022-12-16.csv" in shown.out
    assert again.json["content_hash"] in shown.out
    ingested = kerawanan(
        "ingest", EXTRACTS / "buku-ikp-2024.csv", "--source", "buku-ikp-2024", "--received-at", "2026-01-01"
    )
    assert ingested.code == 0
    assert "known" in ingested.out
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.slow
def test_synthetic_data_is_labelled_and_never_becomes_stable(
    own_methodology: Path, tmp_path: Path, kerawanan: Cli
) -> None:
    sources = own_methodology / "sources.yml"
    sources.write_text(sources.read_text().replace("  precedence: 40\n", "  precedence: 40\n  synthetic: true\n"))
    store = tmp_path / "store"
    answer = kerawanan(
        "run",
        "--edition",
        EDITION,
        "--inbox",
        EXTRACTS,
        "--store",
        store,
        "--methodology",
        own_methodology,
        "--format",
        "json",
    )
    assert answer.code == 0
    assert answer.json["is_synthetic"] is True
    assert answer.json["stable_snapshot_id"] is None
    assert not (store / "stable").exists()
    tables = Path(answer.json["snapshot"]) / "tables"
    for name in ("index_score", "node_score", "indicator_value"):
        assert pl.read_parquet(tables / f"{name}.parquet")["is_synthetic"].all()
    shown = kerawanan("run", "--edition", EDITION, "--store", store, "--methodology", own_methodology)
    assert "SIMULATED" in shown.out


def test_a_candidate_becomes_stable_by_a_person_with_a_reason(
    published: Published, inbox: Path, kerawanan: Cli
) -> None:
    nights, first = published
    press = inbox / "siaran-pers-provinsi-2022-12-16.csv"
    press.write_text(press.read_text().replace("Prov. Bali;Input provinsi;52,75", "Prov. Bali;Input provinsi;52,76"))
    second = nights.run(inbox)
    store = nights.store
    assert kerawanan("snapshots", "promote", second.snapshot_id, "--store", store).code == 2
    done = kerawanan("snapshots", "promote", second.snapshot_id, "--reason", "checked", "--store", store)
    assert done.code == 0
    stable = pl.read_parquet(store / f"stable/v1/{EDITION}/index_score.parquet")
    assert set(stable["snapshot_id"]) == {second.snapshot_id}
    entry = json.loads((store / f"log/{EDITION}/stable/000002.json").read_text())
    assert (entry["snapshot_id"], entry["reason"], entry["number"]) == (second.snapshot_id, "checked", 2)
    again = kerawanan("snapshots", "promote", second.snapshot_id, "--reason", "checked", "--store", store)
    assert again.code == 2
    assert "already" in again.err
    back = kerawanan("snapshots", "promote", first.snapshot_id, "--reason", "a mistake", "--store", store)
    assert back.code == 0
    assert kerawanan("snapshots", "verify", "--store", store).code == 0


@pytest.mark.slow
def test_an_index_without_any_score_is_held(nights: Nights, inbox: Path, kerawanan: Cli) -> None:
    for file in inbox.iterdir():
        if not file.name.startswith("dimensi"):
            file.unlink()
    header, *rows = (inbox / "dimensi-provinsi.csv").read_text().splitlines()
    (inbox / "dimensi-provinsi.csv").write_text("\n".join([header, rows[2]]) + "\n")
    answer = kerawanan("run", "--edition", EDITION, "--inbox", inbox, "--store", nights.store)
    assert answer.code == 3
    assert "no region has an index score" in answer.out
    assert not (nights.store / "stable").exists()
    listed = kerawanan("snapshots", "list", "--store", nights.store, "--format", "json").json["snapshots"]
    assert listed[0]["is_held"] is True
    refused = kerawanan("snapshots", "promote", listed[0]["snapshot_id"], "--reason", "x", "--store", nights.store)
    assert refused.code == 2
    assert "held" in refused.err
