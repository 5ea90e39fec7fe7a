"""Register with a Prefect server all it must know: the work pool, the deployments of prefect.yaml, and what to watch.

Run where the workers run, from the folder of the project, with PREFECT_API_URL set. What is there already is brought
up to date.
"""

import flows.server.silence  # noqa: F401 - first, or it is too late

# isort: split

import subprocess
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from httpx import HTTPError
from prefect.automations import AutomationCore
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import CallWebhook, CancelFlowRun, ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from prefect.types import SecretDict
from pydantic import SecretStr, ValidationError

from flows.server.serve import WORK_POOL
from flows.settings import Settings

HOUR = timedelta(hours=1)
# How long a run of each flow may take; what takes longer hangs, and its process is ended.
LIMITS = {"nightly": timedelta(hours=3), "backfill": timedelta(days=1), "promote": HOUR, "prune": HOUR}
GOOD = ("Published", "Unchanged", "Done", "Planned", "Completed")
# What people are notified of: a night held or failed, one that died or was ended, one that no worker takes in time.
BAD = ("Held", "Incomplete", "Failed", "Crashed", "Cancelled", "Late")
NOTICES = "kerawanan: a run that needs people", "kerawanan-notices"  # automation, and block with the address
# A run that is under way says so every half minute (PREFECT_FLOWS_HEARTBEAT_FREQUENCY); one that was given to a worker,
# or is to be stopped, goes on within seconds.
SILENCE, STANDSTILL = timedelta(minutes=5), timedelta(minutes=10)
NOTICE = """{%- set state = flow_run.state %}{% set edition = flow_run.parameters.edition -%}
{%- set message = state.message or ("no worker has taken it yet" if state.name == "Late" else "") %}
{%- set what = flow.name ~ (" of " ~ edition if edition else "") -%}
{
 "text": {{ (flow_run.name ~ " (" ~ what ~ "): " ~ state.name ~ ". " ~ message)|tojson }},
 "flow": {{ flow.name|tojson }},
 "run": {{ flow_run.name|tojson }},
 "state": {{ state.name|tojson }},
 "message": {{ message|tojson }},
 "at": {{ state.timestamp|string|tojson }},
 "parameters": {{ flow_run.parameters|tojson }},
 "page": {{ flow_run|ui_url|replace("/runs/", "/v2/runs/")|tojson }}
}"""


def deploy(notices: SecretStr | None) -> None:
    """Create or update everything. `notices`: where to POST a JSON document when a run needs people; None: nowhere."""
    # The pool first: a deployment to a pool that does not exist is never run by anyone.
    _prefect("work-pool", "create", "--type", "process", "--overwrite", WORK_POOL)
    _prefect("--no-prompt", "deploy", "--all")
    crashed = ChangeFlowRunState(
        name=None, state=StateType.CRASHED, message="it has said nothing for too long", force=False
    )
    for name, after, within in (
        ("kerawanan: a run whose process is gone", {"heartbeat"}, SILENCE),
        ("kerawanan: a run that does not start or stop", {"Pending", "Submitting", "Cancelling"}, STANDSTILL),
    ):
        why = "No sign of life: it is marked as crashed, so that people are notified and nothing waits for it."
        _watch(name, why, crashed, LIMITS, expect={"*"}, after=after, within=within)
    cancelled = CancelFlowRun(type="cancel-flow-run")  # named, or Prefect drops it on the way and does nothing
    for flow, limit in LIMITS.items():
        name, why = (
            f"kerawanan: a run of {flow} that hangs",
            f"After {limit} its process is ended, and people are notified.",
        )
        _watch(name, why, cancelled, [flow], expect={*GOOD, *BAD, "Cancelling"}, after={"Running"}, within=limit)
    _notify(notices)


def _notify(notices: SecretStr | None) -> None:
    """Notify an address of what needs people; nobody, where there is none."""
    automation, name = NOTICES
    if notices is None:
        with get_client(sync_client=True) as client, suppress(ObjectNotFound):
            for known in client.read_automations_by_name(automation):
                client.delete_automation(known.id)
            client.delete_block_document(client.read_block_document_by_name(name, "webhook").id)
        return
    block = Webhook(url=notices, headers=SecretDict({"Content-Type": "application/json"})).save(name, overwrite=True)
    assert isinstance(block, UUID)
    call = CallWebhook(block_document_id=block, payload=NOTICE)
    _watch(automation, f"{', '.join(BAD)}: sent to the address in KERAWANAN_NOTICES.", call, LIMITS, expect=set(BAD))


def _watch(
    name: str,
    why: str,
    action: CallWebhook | CancelFlowRun | ChangeFlowRunState,
    flows: Iterable[str],
    *,
    expect: set[str],
    after: Collection[str] = (),
    within: timedelta = timedelta(0),
) -> None:
    """Act when runs of some flows come to what is expected; or, `after` something, do not within a time. An automation
    of this name is brought up to date.
    """
    trigger = EventTrigger(
        posture=Posture.Proactive if after else Posture.Reactive,
        after={f"prefect.flow-run.{event}" for event in after},
        expect={f"prefect.flow-run.{event}" for event in expect},
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related={"prefect.resource.role": "flow", "prefect.resource.name": list(flows)},
        for_each={"prefect.resource.id"},
        threshold=1,
        within=within,
    )
    automation = AutomationCore(name=name, description=why, trigger=trigger, actions=[action])
    with get_client(sync_client=True) as client:
        known = client.read_automations_by_name(name)
        if known:
            client.update_automation(known[0].id, automation)
        else:
            client.create_automation(automation)


def _prefect(*arguments: str) -> None:
    command = [sys.executable, "-m", "prefect", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)  # noqa: S603 - our own words
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip() or f"it ended with {done.returncode}")


def main() -> int:
    """Deploy under the settings of the environment, and say what is there now."""
    try:
        notices = Settings().notices
        deploy(notices)
    except (HTTPError, RuntimeError, ValidationError) as error:
        sys.stderr.write(f"the server did not take everything ({error}). Once it answers, run this again.\n")
        return 1
    recipient = (
        "sent to the address in KERAWANAN_NOTICES" if notices else "sent to nobody (KERAWANAN_NOTICES is not set)"
    )
    sys.stdout.write(f"the deployments of prefect.yaml are there; what needs people is {recipient}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
