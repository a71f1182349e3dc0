"""Stacks of CloudFormation on the emulator: made from a template, and what keeps one from coming up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from infra.local.errors import CannotRun

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackEventTypeDef

_SECONDS: Final = 330  # longer than the registrar may take: CloudFormation waits an hour for one that crashed


class StackFailed(CannotRun):
    """A resource of a stack cannot be made; the message says which, and why."""


def create(
    cloudformation: CloudFormationClient,
    name: str,
    template_url: str,
    parameters: Mapping[str, str],
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """Make the stack ``name`` and return its outputs when it is there. ``note`` hears what is made just now.

    Raises:
        StackFailed: it does not come up.
    """
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=template_url,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        OnFailure="DO_NOTHING",  # rolling back would delete the bucket, and what is in it
    )
    started = said = time.monotonic()
    while (stack := cloudformation.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith("PROGRESS"):
        now = time.monotonic()
        if now - started > _SECONDS:
            raise StackFailed(f"the stack {name} does not come up: aws.log in the folder of the logs may say why")
        if now - said > 1:
            note(_events(cloudformation, name)[0].get("LogicalResourceId", ""))
            said = now
        time.sleep(0.1)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise StackFailed(f"the stack {name} does not come up:\n" + "\n".join(_failures(cloudformation, name)))
    return {output.get("OutputKey", ""): output.get("OutputValue", "") for output in stack.get("Outputs", [])}


def _events(cloudformation: CloudFormationClient, stack: str) -> list[StackEventTypeDef]:
    """Return the latest events of ``stack``, newest first."""
    return cloudformation.describe_stack_events(StackName=stack)["StackEvents"]


def _failures(cloudformation: CloudFormationClient, stack: str) -> Iterator[str]:
    for event in reversed(_events(cloudformation, stack)):
        kind, resource = event.get("ResourceType", ""), event.get("PhysicalResourceId", "")
        if event.get("ResourceStatus") != "CREATE_FAILED" or resource == event["StackId"]:
            continue
        if kind == "AWS::CloudFormation::Stack" and resource:
            yield from _failures(cloudformation, resource)
        yield f"- {event.get('LogicalResourceId')} ({kind}): {event.get('ResourceStatusReason')}"
