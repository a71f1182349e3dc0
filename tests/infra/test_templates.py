"""What each template says holds for all of its kind: logs are kept, failures are kept, rights are few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Final, cast

import pytest

from memory_server.settings import Settings
from plugin_kit.hooks import CATALOGUE
from plugin_kit.json_types import JsonObject, JsonValue
from plugin_kit.settings import HostSettings
from tests.infra.templates import (
    PLUGIN,
    REPOSITORY,
    ROOT,
    many,
    resources,
    section,
    statements,
    translated,
    written,
)

# What SAM gives the server's own functions: to write logs, and to have network interfaces, which AWS lets no policy
# narrow down. A plugin has neither.
MANAGED_POLICIES: Final = {"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"}


@pytest.fixture(scope="module")
def server() -> JsonObject:
    return translated(ROOT, {})


@pytest.fixture(scope="module")
def plugin() -> JsonObject:
    return translated(PLUGIN, {"PluginId": "example", "PluginFolder": "../plugins/memory_analytics"})


@pytest.fixture(params=["server", "plugin"])
def template(request: pytest.FixtureRequest) -> JsonObject:
    """Each template in turn."""
    return cast(JsonObject, request.getfixturevalue(str(request.param)))


def test_every_function_logs_to_a_group_that_forgets(template: JsonObject) -> None:
    groups = resources(template, "AWS::Logs::LogGroup")
    functions = resources(template, "AWS::Lambda::Function")
    assert functions
    for name, function in functions.items():
        group = _reference(cast(JsonObject, function["LoggingConfig"])["LogGroup"])
        assert "RetentionInDays" in groups[group], name


def test_lambda_takes_no_long_job_for_a_loop_to_be_ended(server: JsonObject, plugin: JsonObject) -> None:
    own = resources(server, "AWS::Lambda::Function")
    goes_round = [own["PluginGatewayFunction"], own["BulkTransferFunction"]]
    goes_round += resources(plugin, "AWS::Lambda::Function").values()
    assert [function.get("RecursiveLoop") for function in goes_round] == ["Allow"] * 3


def test_every_queue_has_a_dead_letter_queue_and_that_one_an_alarm(plugin: JsonObject) -> None:
    queues = resources(plugin, "AWS::SQS::Queue")
    dead = {
        name: _target(cast(JsonObject, queue["RedrivePolicy"])["deadLetterTargetArn"])
        for name, queue in queues.items()
        if "RedrivePolicy" in queue
    }
    assert queues.keys() == dead.keys() | set(dead.values())
    watched = {
        _target(dimension["Value"])
        for alarm in resources(plugin, "AWS::CloudWatch::Alarm").values()
        for dimension in cast("Sequence[JsonObject]", alarm["Dimensions"])
    }
    assert watched == set(dead.values())


def test_an_event_that_the_bus_cannot_deliver_is_kept_too(plugin: JsonObject) -> None:
    (rule,) = resources(plugin, "AWS::Events::Rule").values()
    for target in cast("Sequence[JsonObject]", rule["Targets"]):
        assert _target(cast(JsonObject, target["DeadLetterConfig"])["Arn"]) == "DeadLetterQueue"


def test_a_message_stays_hidden_for_six_times_as_long_as_the_function_may_take(plugin: JsonObject) -> None:
    (function,) = resources(plugin, "AWS::Lambda::Function").values()
    queue = resources(plugin, "AWS::SQS::Queue")["Queue"]
    hidden, allowed = (
        cast(int, section(plugin, "Parameters")[_reference(value)]["Default"])
        for value in (queue["VisibilityTimeout"], function["Timeout"])
    )
    assert hidden == 6 * allowed


def test_the_tables_have_the_keys_of_the_architecture_and_forget_what_expires(server: JsonObject) -> None:
    tables = resources(server, "AWS::DynamoDB::Table")
    assert {name: _keys(table) for name, table in tables.items()} == {
        "PluginsTable": ["plugin_id", "record"],
        "DeliveriesTable": ["plugin_id", "event_id"],
        "DeliveryLogTable": ["plugin_id", "delivery_id"],
        "SequencesTable": ["event_id"],
        "ErasuresTable": ["user_sha256"],
        "EmbeddingCacheTable": ["owner", "cache_key"],
        "KeysTable": ["key_id"],
        "RequestsTable": ["counter"],
    }
    (index,) = cast("Sequence[JsonObject]", tables["PluginsTable"]["GlobalSecondaryIndexes"])
    assert (index["IndexName"], _keys(index)) == ("by_record", ["record", "plugin_id"])
    for name in tables.keys() - {"PluginsTable"}:
        assert tables[name]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_no_role_may_act_on_whatever_there_is(template: JsonObject) -> None:
    found = list(statements(template))
    assert found
    for role, statement in found:
        assert "*" not in many(statement["Resource"]), role
        assert not any(str(action).endswith("*") for action in many(statement["Action"])), role


def test_a_plugin_has_no_policy_of_aws_and_the_server_has_the_two_that_lambda_wants(
    server: JsonObject, plugin: JsonObject
) -> None:
    def managed(template: JsonObject) -> set[str]:
        roles = resources(template, "AWS::IAM::Role").values()
        return {str(arn).rpartition("/")[2] for role in roles for arn in many(role.get("ManagedPolicyArns", []))}

    assert managed(plugin) == set()
    assert managed(server) <= MANAGED_POLICIES


def test_a_plugin_reaches_its_own_queue_log_alias_and_records_and_nothing_else(plugin: JsonObject) -> None:
    reached = [
        (str(action), _target(resource))
        for _, statement in statements(plugin)
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
        if not str(action).startswith("dynamodb:")
    ]
    files = "arn:${AWS::Partition}:s3:::${FilesBucketName}"
    of_files = {
        (f"s3:{action}", f"{files}/{folder}/${{PluginId}}/*")
        for action in ("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload")
        for folder in ("files", "transfers")
    }
    assert of_files <= set(reached)
    assert dict(right for right in reached if right not in of_files) == {
        "logs:CreateLogStream": "Logs",
        "logs:PutLogEvents": "Logs",
        "sqs:ReceiveMessage": "Queue",
        "sqs:DeleteMessage": "Queue",
        "sqs:GetQueueAttributes": "Queue",
        "sqs:ChangeMessageVisibility": "Queue",
        "lambda:InvokeFunction": "GatewayAlias",
        "secretsmanager:GetSecretValue": "Secret",
        "s3:GetObject": "arn:${AWS::Partition}:s3:::${EventsBucketName}/events/*",
    }


def test_a_plugin_touches_no_item_but_those_under_its_own_id(plugin: JsonObject) -> None:
    own = [
        statement
        for _, statement in statements(plugin)
        if any(str(action).startswith("dynamodb:") for action in many(statement["Action"]))
    ]
    assert {str(action) for statement in own for action in many(statement["Action"])} == {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:PutItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
    }
    (of_users,) = [statement for statement in own if "ErasuresTableName" in str(statement["Resource"])]
    assert many(of_users["Action"]) == ["dynamodb:GetItem"], "an item is of a user, by the hash of an id that one knows"
    for statement in own:
        if statement is of_users:
            continue
        condition = cast("Mapping[str, JsonObject]", statement["Condition"])["ForAllValues:StringEquals"]
        assert condition["dynamodb:LeadingKeys"] == [{"Ref": "PluginId"}]


def test_a_plugin_can_write_its_statistics_but_neither_enable_itself_nor_widen_its_permissions(
    plugin: JsonObject,
) -> None:
    writes = [
        (many(statement["Action"]), cast("Mapping[str, JsonObject]", statement["Condition"]))
        for _, statement in statements(plugin)
        if "PluginsTableName" in str(statement["Resource"])
        and not set(many(statement["Action"])) <= {"dynamodb:GetItem", "dynamodb:Query"}
    ]
    ((actions, condition),) = writes
    assert actions == ["dynamodb:UpdateItem"]
    assert set(many(condition["ForAllValues:StringEquals"]["dynamodb:Attributes"])) == {
        *("plugin_id", "record"),
        *("delivered", "failed", "consecutive_failures", "last_delivered_at", "last_error", "last_error_at"),
        "last_error_of",
        *("health", "health_at"),
        *(f"ms_{bound}" for bound in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 30000)),
    }


def test_the_server_tells_its_functions_what_settings_read_and_nothing_else(server: JsonObject) -> None:
    known = {name.upper() for name in Settings.__dataclass_fields__} | {"POWERTOOLS_SERVICE_NAME"}
    told = [_variables(function) for function in resources(server, "AWS::Lambda::Function").values()]
    assert set[str]().union(*told) <= known
    # The defaults of two are right on Lambda, which itself tells of the third.
    untold = {"DATABASE_POOL_SIZE", "SIGN_IN", "AWS_LAMBDA_FUNCTION_NAME"}
    assert known - set[str]().union(*told) == untold


def test_a_plugin_is_told_what_its_host_requires(plugin: JsonObject) -> None:
    required = {field.name.upper() for field in fields(HostSettings) if field.default is MISSING}
    (function,) = resources(plugin, "AWS::Lambda::Function").values()
    assert required <= _variables(function)


def test_a_host_knows_how_often_its_queue_gives_a_message(plugin: JsonObject) -> None:
    (function,) = resources(plugin, "AWS::Lambda::Function").values()
    variables = cast("Mapping[str, JsonObject]", function["Environment"])["Variables"]
    redrive = cast(JsonObject, resources(plugin, "AWS::SQS::Queue")["Queue"]["RedrivePolicy"])
    assert variables["MAX_RECEIVES"] == str(redrive["maxReceiveCount"])


def test_no_template_can_switch_sign_in_off(server: JsonObject) -> None:
    for function in resources(server, "AWS::Lambda::Function").values():
        assert "SIGN_IN" not in _variables(function)


def test_the_templates_know_no_hook_so_that_a_new_one_needs_no_deployment_of_them() -> None:
    for path in (ROOT, PLUGIN):
        text = path.read_text()
        assert [hook for hook in CATALOGUE if hook in text] == []


def test_every_folder_of_a_plugin_is_nested_in_the_server() -> None:
    folders = {path.parent.name for path in (REPOSITORY / "plugins").glob("*/plugin.py")}
    nested = [cast(JsonObject, block["Parameters"]) for block in _plugin_blocks()]
    assert {block["PluginId"]: block["PluginFolder"] for block in nested} == {
        folder: f"../plugins/{folder}" for folder in folders
    }


def test_a_plugin_wants_nothing_that_its_block_does_not_give_and_the_server_does_not_put_out() -> None:
    declared = section(written(PLUGIN), "Parameters")
    required = {name for name, parameter in declared.items() if "Default" not in parameter}
    for block in _plugin_blocks():
        given = cast(JsonObject, block["Parameters"])
        assert required <= given.keys() <= declared.keys()
        # What the server was told holds for its plugins too.
        assert declared.keys() & section(written(ROOT), "Parameters").keys() <= given.keys()
    assert required - {"PluginId", "PluginFolder"} <= section(written(ROOT), "Outputs").keys()


def test_no_plugin_of_the_template_is_deployed_where_the_parameter_says_so() -> None:
    written_blocks = [
        resource
        for resource in section(written(ROOT), "Resources").values()
        if cast(JsonObject, resource.get("Properties", {})).get("Location") == "infra/plugin.yaml"
    ]
    assert {str(block["Condition"]) for block in written_blocks} == {"DeployPlugins"}


def _plugin_blocks() -> list[JsonObject]:
    applications = resources(written(ROOT), "AWS::Serverless::Application").values()
    return [block for block in applications if block["Location"] == "infra/plugin.yaml"]


def _keys(table: JsonObject) -> list[JsonValue]:
    return [key["AttributeName"] for key in cast("Sequence[JsonObject]", table["KeySchema"])]


def _reference(value: JsonValue) -> str:
    return str(cast(JsonObject, value)["Ref"])


def _target(value: JsonValue) -> str:
    """Return the name of the resource that ``value`` refers to, or the text that it is made from."""
    (target,) = cast(JsonObject, value).values()
    return str(target[0]) if isinstance(target, Sequence) and not isinstance(target, str) else str(target)


def _variables(function: JsonObject) -> set[str]:
    return set(cast("Mapping[str, JsonObject]", function["Environment"])["Variables"])
