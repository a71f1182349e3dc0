"""What an operator sets for a plugin reaches its hooks: config, secrets, the level of its log."""

from __future__ import annotations

import io
import json
import logging

import pytest

from tests.integration.plugin_host.stack import Stack, act, cold_start, created

CONFIG = {"type": "object", "properties": {"days": {"default": 7}, "tags": {"default": ["a"]}, "none": {}}}
SAYS_ITS_CONFIG = """
    import json

    async def memory_created(memory, context):
        say(json.dumps(context["server_config"]["config"], sort_keys=True))
    """
SAYS_ITS_SECRETS = """
    import json

    async def memory_created(memory, context):
        config = context["server_config"]
        say(json.dumps(config["secrets"]))
        say(f"{config['secrets']} {config['secrets'].values()}")
        say(str(config["secrets"].get("TOKEN")))
        print("the token is", config["secrets"].get("TOKEN"))
        context["logger"].info("it is %s", config["secrets"].get("TOKEN"))
        raise ValueError(f"refused: {config['secrets']['TOKEN']}")
    """


def test_config_has_the_schemas_defaults_and_what_was_set_over_them(stack: Stack) -> None:
    stack.plugin(SAYS_ITS_CONFIG, config=CONFIG)
    stack.set_config(days=30, more={"x": None})
    stack.send(created("hello"))
    stack.poll(cold_start())
    assert [json.loads(line) for line in stack.said] == [{"days": 30, "tags": ["a"], "more": {"x": None}}]


def test_a_changed_config_is_seen_by_the_next_batch(stack: Stack) -> None:
    stack.plugin(SAYS_ITS_CONFIG, config=CONFIG)
    handler = cold_start()
    for number in (1, 2):
        stack.set_config(days=number)
        stack.send(created("hello", number))
        stack.poll(handler)
    assert [json.loads(line)["days"] for line in stack.said] == [1, 2]


def test_a_secret_is_had_by_its_name_and_shown_nowhere(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.plugin(SAYS_ITS_SECRETS, secrets=["TOKEN"])
    stack.set_secrets(TOKEN='ab"cdef')
    stack.send(created("hello"))
    stack.poll(cold_start())
    assert stack.said == ['{"TOKEN": "[secret]"}', "Secrets(TOKEN) dict_values(['[secret]'])", 'ab"cdef']
    written = capsys.readouterr().out
    assert "the token is [removed]" in written
    assert "it is [removed]" in written
    assert "cdef" not in written
    assert stack.statistics["last_error"] == "ValueError: refused: [removed]"
    assert stack.log[0]["error"] == "ValueError: refused: [removed]"


def test_a_secret_without_a_value_says_how_to_set_it(stack: Stack) -> None:
    stack.plugin(SAYS_ITS_SECRETS, secrets=["TOKEN"])
    stack.send(created("hello"))
    stack.poll(cold_start())
    assert stack.said[-1] == "None"
    assert "TOKEN: the secret has no value yet: set it with PUT" in stack.statistics["last_error"]


def test_a_secret_that_the_plugin_does_not_name_is_not_had(stack: Stack) -> None:
    stack.plugin(SAYS_ITS_SECRETS, secrets=[])
    stack.set_secrets(TOKEN="abcdef")
    stack.send(created("hello"))
    stack.poll(cold_start())
    assert "TOKEN: add it to PLUGIN_INFO['secrets']" in stack.statistics["last_error"]


def test_the_plugins_log_has_the_level_of_its_registration_until_the_plugin_sets_another(stack: Stack) -> None:
    stack.plugin("""
        async def memory_created(memory, context):
            if memory.content == "louder":
                context["logger"].setLevel("DEBUG")
            context["logger"].debug("debug %s", memory.content)
            context["logger"].info("info %s", memory.content)
        """)
    handler = cold_start()
    act(handler, "describe")
    log = io.StringIO()
    (output,) = logging.getLogger("my_plugin").handlers
    assert isinstance(output, logging.StreamHandler)
    output.setStream(log)  # pyright: ignore[reportUnknownMemberType]  # of some stream
    for number, (level, content) in enumerate([("WARNING", "a"), ("DEBUG", "b"), ("INFO", "c"), ("INFO", "louder")]):
        stack.set_enabled(True, level)
        stack.send(created(content, number))
        stack.poll(handler)
    stack.send(created("d", 9))
    stack.poll(handler)
    messages = [json.loads(line)["message"] for line in log.getvalue().splitlines()]
    assert [message for message in messages if message != "delivered"] == [
        *("debug b", "info b"),
        "info c",
        *("debug louder", "info louder"),
        *("debug d", "info d"),
    ]
    assert messages.count("delivered") == 5
