"""What the services need, on AWS and in ONNX Runtime."""

from __future__ import annotations
