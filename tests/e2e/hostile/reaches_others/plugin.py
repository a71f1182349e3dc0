"""Uses its own credentials, and others that it makes up, for what is not its own."""

from __future__ import annotations

import os

import boto3
from botocore.config import Config

PLUGIN_INFO = {
    "name": "Reaches others",
    "version": "1.0.0",
    "description": "Uses its credentials for what is not its own",
    "author": "The tests",
    "hooks": ["memory_created"],
}

OTHER = "memory_analytics"
ONCE = Config(retries={"total_max_attempts": 1})


async def memory_created(memory, context):
    named = memory.metadata
    own_alias = os.environ["GATEWAY_ALIAS_ARN"]
    gateway = own_alias.rpartition(":")[0]
    other_function = f"{named['server']}-plugin-{OTHER}"
    clients = {name: boto3.client(name, config=ONCE) for name in CLIENTS}
    forged = {
        name: boto3.client(name, config=ONCE, aws_access_key_id="test", aws_secret_access_key="test")
        for name in CLIENTS
    }
    call = b'{"operation": "database.query", "arguments": {"sql": "SELECT 1"}}'
    table = os.environ["PLUGINS_TABLE"]
    key = {"plugin_id": {"S": OTHER}, "record": {"S": "registration"}}
    own_key = {"plugin_id": {"S": os.environ["PLUGIN_ID"]}, "record": {"S": "registration"}}
    attempts = {
        "alias": lambda c: c["lambda"].invoke(FunctionName=f"{gateway}:plugin-{OTHER}", Payload=call),
        "qualifier": lambda c: c["lambda"].invoke(FunctionName=own_alias, Qualifier=f"plugin-{OTHER}", Payload=call),
        "function": lambda c: c["lambda"].invoke(FunctionName=other_function, Payload=b'{"action": "describe"}'),
        "code": lambda c: c["lambda"].get_function(FunctionName=other_function),
        "record": lambda c: c["dynamodb"].get_item(TableName=table, Key=key),
        "records": lambda c: c["dynamodb"].scan(TableName=table),
        "right": lambda c: c["dynamodb"].update_item(
            TableName=table,
            Key=own_key,
            UpdateExpression="SET #p = :p",
            ExpressionAttributeNames={"#p": "permissions"},
            ExpressionAttributeValues={":p": {"L": [{"S": "memory:read"}]}},
        ),
        "bus": lambda c: c["events"].put_events(
            Entries=[
                {
                    "EventBusName": named["server"],
                    "Source": "memory.server",
                    "DetailType": "memory_created",
                    "Detail": "{}",
                }
            ]
        ),
        "secret": lambda c: c["secretsmanager"].get_secret_value(SecretId=named["secret"]),
        "other secret": lambda c: c["secretsmanager"].get_secret_value(SecretId=f"{named['server']}/plugin/{OTHER}"),
        "queue": lambda c: c["sqs"].receive_message(
            QueueUrl=f"{os.environ['QUEUE_URL'].rpartition('/')[0]}/{other_function}"
        ),
        "role": lambda c: c["sts"].assume_role(RoleArn=named["role"], RoleSessionName="me"),
        "user": lambda c: c["iam"].create_user(UserName="me"),
        "bucket": lambda c: c["s3"].list_objects_v2(Bucket=os.environ["EVENTS_BUCKET"]),
        "task": lambda c: c["sqs"].send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="{}"),
        "files": lambda c: c["s3"].list_objects_v2(Bucket=os.environ["FILES_BUCKET"]),
        "file": lambda c: c["s3"].get_object(Bucket=os.environ["FILES_BUCKET"], Key=f"files/{OTHER}/a"),
        "part": lambda c: c["s3"].put_object(Bucket=os.environ["FILES_BUCKET"], Key=f"transfers/{OTHER}/a", Body=b""),
        "transfer": lambda c: c["lambda"].invoke(FunctionName=named["bulk"], Payload=b"{}"),
    }
    refused = []
    for whose, with_clients in (("", clients), ("forged ", forged)):
        for name, attempt in attempts.items():
            try:
                attempt(with_clients)
            except Exception as error:
                if "AccessDenied" not in str(error) and "Forbidden" not in str(error):
                    raise
                refused.append(whose + name)
            else:
                context["logger"].error("succeeded: %s%s", whose, name)
                return
    raise PermissionError(", ".join(refused))


CLIENTS = ["dynamodb", "events", "iam", "lambda", "s3", "secretsmanager", "sqs", "sts"]
