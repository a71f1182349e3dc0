"""What requests and answers look like: pydantic models, from which the OpenAPI document derives."""

from __future__ import annotations
