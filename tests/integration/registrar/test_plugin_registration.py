"""A plugin is registered, renewed and removed with its stack, and CloudFormation hears how it went."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from memory_server.adapters.dynamodb_plugin_configs import DynamoDBPluginConfigs
from memory_server.domain.errors import PluginNotFound
from memory_server.services.plugin_ports import PluginRegistration
from memory_server.services.registration import UNFINISHED
from plugin_kit.json_types import JsonObject
from tests.fixtures.aws import PLUGINS_TABLE, SCHEDULE_GROUP
from tests.fixtures.postgres import TestDatabase
from tests.integration.registrar.conftest import MANIFEST, World


def registered(world: World, plugin_id: str = "registrar_test") -> PluginRegistration:
    return asyncio.run(world.aws.registry().get(plugin_id))


def schemas(database: TestDatabase) -> set[str]:
    with psycopg.connect(database.admin_dsn) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'plugin%'").fetchall()
    return {str(name) for (name,) in rows}


def schedules(world: World) -> dict[str, str]:
    """Return the expressions of all schedules by their names, and see that they call the plugin's queue."""
    scheduler = world.aws.clients.scheduler
    names = [it.get("Name", "") for it in scheduler.list_schedules(GroupName=SCHEDULE_GROUP)["Schedules"]]
    found = [scheduler.get_schedule(GroupName=SCHEDULE_GROUP, Name=name) for name in names]
    assert all(it["Target"]["Arn"] == "arn:aws:sqs:eu-central-1:123456789012:queue" for it in found)
    return {it["Name"]: it["ScheduleExpression"] for it in found}


def configs(world: World) -> DynamoDBPluginConfigs:
    return DynamoDBPluginConfigs(world.aws.clients.dynamodb, PLUGINS_TABLE)


def with_database() -> JsonObject:
    return {**MANIFEST, "permissions": ["database:read", "database:write"]}


def test_a_created_plugin_is_registered_as_its_function_describes_it(world: World) -> None:
    answer = world.register()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "registrar_test")
    registration = registered(world)
    assert (registration.name, registration.version, registration.priority) == ("Registrar test", "1.0.0", 50)
    assert (registration.hooks, registration.permissions, registration.enabled) == (("memory_created",), (), True)
    assert (registration.queue_url, registration.dead_letter_queue_url) == ("https://sqs/queue", "https://sqs/dead")
    assert registration.manifest == MANIFEST


def test_the_answer_carries_no_content_type_because_its_url_is_signed_without_one(world: World) -> None:
    world.register()
    assert world.content_types == [""]


def test_a_plugin_without_database_permissions_gets_no_schema(world: World) -> None:
    world.register()
    assert schemas(world.database) == set()


def test_a_plugin_s_schema_comes_with_it_and_stays_after_it_unless_the_stack_says_otherwise(world: World) -> None:
    world.described = {"ok": with_database()}
    world.register()
    assert schemas(world.database) == {"plugin_registrar_test"}
    assert world.register("Delete", "registrar_test")["Status"] == "SUCCESS"
    assert schemas(world.database) == {"plugin_registrar_test"}
    assert world.register()["Status"] == "SUCCESS"
    assert world.register("Delete", "registrar_test", KeepSchema="false")["Status"] == "SUCCESS"
    assert schemas(world.database) == set()
    with pytest.raises(PluginNotFound):
        registered(world)


def test_an_update_renews_the_registration_and_keeps_the_enable_state(world: World) -> None:
    world.register()
    asyncio.run(world.aws.registry().set_enabled("registrar_test", False))
    world.described = {"ok": {**MANIFEST, "version": "2.0.0"}}
    answer = world.register("Update", "registrar_test", QueueUrl="https://sqs/new")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "registrar_test")
    registration = registered(world)
    assert (registration.version, registration.queue_url, registration.enabled) == ("2.0.0", "https://sqs/new", False)


def test_an_update_to_another_id_registers_that_and_the_deletion_that_follows_removes_the_old(world: World) -> None:
    world.register()
    answer = world.register("Update", "registrar_test", PluginId="registrar_renamed")
    assert answer["PhysicalResourceId"] == "registrar_renamed"
    assert world.register("Delete", "registrar_test")["Status"] == "SUCCESS"
    assert registered(world, "registrar_renamed").plugin_id == "registrar_renamed"
    with pytest.raises(PluginNotFound):
        registered(world)


def test_a_refused_plugin_fails_the_deployment_with_the_kit_s_words(world: World) -> None:
    message = "plugin 'registrar_test' is refused:\n- hook memory_created must be async: write async def memory_created"
    world.described = {"error": {"type": "InvalidPlugin", "message": message}}
    answer = world.register()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "not-created")
    assert message in str(answer["Reason"])
    with pytest.raises(PluginNotFound):
        registered(world)


def test_the_stack_can_say_which_plugins_are_enabled_at_first(world: World) -> None:
    world.register(EnabledPlugins="another,registrar_test", PluginId="registrar_test")
    assert registered(world).enabled
    world.register("Delete", "registrar_test")
    world.register(EnabledPlugins="another")
    assert (registered(world).enabled, registered(world).disabled_reason) == (False, None)
    world.register("Update", "registrar_test", EnabledPlugins="registrar_test")
    assert not registered(world).enabled


def test_a_refused_plugin_can_be_kept_off_with_the_reason_until_it_has_no_faults(world: World) -> None:
    message = "plugin 'registrar_test' is refused:\n- plugin.py cannot be imported: RuntimeError: no"
    world.described = {"error": {"type": "InvalidPlugin", "message": message}}
    assert world.register(RefusedPlugins="Register")["Status"] == "SUCCESS"
    refused = registered(world)
    assert (refused.enabled, refused.hooks, refused.permissions) == (False, (), ())
    assert message in str(refused.disabled_reason)
    world.described = {"ok": MANIFEST}
    world.register("Update", "registrar_test", RefusedPlugins="Register")
    assert (registered(world).enabled, registered(world).disabled_reason) == (True, None)


def test_a_plugin_that_an_operator_switched_off_is_not_switched_on_by_a_fault_and_its_fix(world: World) -> None:
    world.register()
    asyncio.run(world.aws.registry().set_enabled("registrar_test", False))
    world.described = {"error": {"type": "InvalidPlugin", "message": "refused"}}
    world.register("Update", "registrar_test", RefusedPlugins="Register")
    world.described = {"ok": MANIFEST}
    world.register("Update", "registrar_test", RefusedPlugins="Register")
    assert not registered(world).enabled


def test_a_plugin_that_comes_to_be_refused_is_off_and_has_no_schedules(world: World) -> None:
    world.described = {"ok": {**MANIFEST, "schedules": {"nightly": "rate(1 day)"}}}
    world.register()
    assert schedules(world)
    world.described = {"error": {"type": "InvalidPlugin", "message": "refused"}}
    world.register("Update", "registrar_test", RefusedPlugins="Register")
    assert (registered(world).enabled, schedules(world)) == (False, {})


def test_a_plugin_whose_function_fails_to_start_fails_the_deployment_with_its_error(world: World) -> None:
    world.function_error = True
    world.described = {"errorMessage": "No module named 'numpy'", "errorType": "ImportError"}
    answer = world.register()
    assert answer["Status"] == "FAILED"
    assert "No module named 'numpy'" in str(answer["Reason"])


def test_a_failed_update_leaves_the_registration_as_it_was(world: World) -> None:
    world.register()
    world.described = {"error": {"type": "InvalidPlugin", "message": "refused"}}
    answer = world.register("Update", "registrar_test")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "registrar_test")
    assert registered(world).version == "1.0.0"


def test_the_deletion_of_what_could_not_be_created_removes_nobody_s_plugin(world: World) -> None:
    world.register()
    assert world.register("Delete", "not-created")["Status"] == "SUCCESS"
    assert registered(world).plugin_id == "registrar_test"


def test_a_missing_property_is_named(world: World) -> None:
    answer = world.register(FunctionArn="")
    assert answer["Status"] == "FAILED"
    assert "FunctionArn" in str(answer["Reason"])


def test_a_reason_is_cut_to_what_cloudformation_takes(world: World) -> None:
    world.described = {"error": {"type": "InvalidPlugin", "message": "ä" * 10_000}}
    answer = world.register()
    assert 1900 < len(str(answer["Reason"]).encode()) <= 2000


def test_whatever_goes_wrong_inside_is_answered_without_detail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_HOST")
    answer = world.register()
    assert answer["Status"] == "FAILED"
    assert "InvalidSettings in the registrar: its log of request request says more" in str(answer["Reason"])


def test_an_unknown_type_of_resource_is_answered(world: World) -> None:
    assert world.send("Create", "Custom::Unknown")["Status"] == "FAILED"


def test_a_plugin_that_is_enabled_by_default_is_initialized_when_it_is_first_registered_and_not_again(
    world: World,
) -> None:
    world.register()
    assert (registered(world).enabled, world.actions) == (True, ["describe", "initialize"])
    world.register("Update", "registrar_test")
    world.register()
    assert (registered(world).enabled, world.actions[2:]) == (True, ["describe", "describe"])


def test_a_plugin_that_is_disabled_by_default_is_not_initialized(world: World) -> None:
    world.described = {"ok": {**MANIFEST, "enabled": False}}
    world.register()
    registration = registered(world)
    assert (registration.enabled, registration.disabled_reason, world.actions) == (False, None, ["describe"])


def test_a_plugin_whose_initialize_raises_is_registered_disabled_with_the_reason(world: World) -> None:
    world.initialized = {"error": {"type": "InitializeFailed", "message": "KeyError: 'API_KEY'"}}
    assert world.register()["Status"] == "SUCCESS"
    registration = registered(world)
    assert not registration.enabled
    assert "KeyError: 'API_KEY'" in str(registration.disabled_reason)


def test_a_first_registration_that_did_not_end_is_ended_by_the_next(world: World) -> None:
    world.register()
    asyncio.run(world.aws.registry().set_enabled("registrar_test", False, reason=UNFINISHED))
    world.register()
    registration = registered(world)
    assert (registration.enabled, registration.disabled_reason) == (True, None)


def test_schedules_come_and_go_with_the_plugin_and_its_versions(world: World) -> None:
    world.described = {"ok": {**MANIFEST, "schedules": {"nightly": "rate(1 day)", "weekly": "rate(7 days)"}}}
    world.register()
    assert schedules(world) == {"registrar_test-nightly": "rate(1 day)", "registrar_test-weekly": "rate(7 days)"}
    world.described = {"ok": {**MANIFEST, "schedules": {"nightly": "rate(2 days)"}}}
    world.register("Update", "registrar_test")
    assert schedules(world) == {"registrar_test-nightly": "rate(2 days)"}
    world.register("Delete", "registrar_test")
    assert schedules(world) == {}


def test_a_removed_plugin_is_cleaned_up_and_leaves_no_record(world: World) -> None:
    world.register()
    asyncio.run(configs(world).put("registrar_test", values={"threshold": 1}))
    assert world.register("Delete", "registrar_test")["Status"] == "SUCCESS"
    assert world.actions == ["describe", "initialize", "cleanup"]
    assert world.aws.clients.dynamodb.scan(TableName=PLUGINS_TABLE)["Items"] == []


def test_a_plugin_that_is_off_was_cleaned_up_when_it_was_switched_off(world: World) -> None:
    world.register()
    asyncio.run(world.aws.registry().set_enabled("registrar_test", False))
    world.register("Delete", "registrar_test")
    assert world.actions == ["describe", "initialize"]


def test_json_schemas_that_are_none_fail_the_deployment_and_are_named(world: World) -> None:
    endpoint: JsonObject = {"method": "GET", "path": "/x", "response": {"$ref": "https://example.org/x"}}
    world.described = {"ok": {**MANIFEST, "config": {"type": "objekt"}, "endpoints": [endpoint]}}
    answer = world.register()
    assert answer["Status"] == "FAILED"
    assert "PLUGIN_INFO.config: is not a JSON Schema" in str(answer["Reason"])
    assert "PLUGIN_INFO.endpoints.0.response: is not a JSON Schema" in str(answer["Reason"])
