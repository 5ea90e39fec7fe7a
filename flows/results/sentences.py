"""Sentences about answers, which the terminal and Markdown share."""

from collections.abc import Mapping
from typing import Any

PLANNED = {
    "computes": "to compute",
    "stands": "the same as another night, only written down",
    "done": "done already",
    "empty": "with no extract yet, which fail",
}


def difference_sentences(diff: Mapping[str, Any]) -> list[str]:
    """What a difference says beside the regions that moved: tables, extracts, methodology and code."""
    said = [
        f"{each['table']}: {each['rows_added']} rows added, {each['rows_removed']} removed, "
        f"{each['rows_changed']} changed"
        for each in diff["tables"]
    ]
    said += [
        f"{each['table']}: columns {what}: {', '.join(each[f'columns_{what}'])}"
        for each in diff["tables"]
        for what in ("added", "removed", "retyped")
        if each[f"columns_{what}"]
    ]
    for what, extracts in diff["inputs"].items():
        said += [f"extract {what}: {each['file_name']} ({each['source']}, {each['sha256'][:12]})" for each in extracts]
    if diff["methodology"]:
        said.append(f"methodology: {', '.join(diff['methodology'])}")
    if diff["before"]["code"] != diff["after"]["code"]:
        said.append("computed by other code")
    return said or ["nothing"]


def reporting_sentences(result: Mapping[str, Any]) -> list[str]:
    """What the summary of reporting says, a sentence per level and approach."""
    return [
        f"{each['region_level']} / {each['approach']}: {each['indicators_reported']} of {each['indicators_expected']} "
        f"indicators reported ({each['indicators_reported_zero']} as zero, {each['indicators_evidenced']} with "
        f"evidence), {each['indicators_imputed']} left blank and counted as zero, {each['indicators_missing']} "
        f"missing; {each['offices_silent']} of {each['offices']} offices sent nothing"
        for each in result["reporting"]
    ]
