"""One invocation in an execution environment of its own: a batch on stdin, the answer on stdout, after a line."""

from __future__ import annotations

import json
import os
import sys

from tests.integration.plugin_host.stack import Invocation, cold_start

ANSWER = "the answer is "

if __name__ == "__main__":
    answer = cold_start()(json.loads(sys.stdin.read()), Invocation(float(os.environ["SECONDS_LEFT"])))
    sys.stdout.write(f"\n{ANSWER}{json.dumps(answer)}\n")
