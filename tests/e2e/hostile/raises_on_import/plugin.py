"""Cannot be imported."""

from __future__ import annotations

raise RuntimeError("this plugin does not want to be imported")
