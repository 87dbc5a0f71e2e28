"""Where the tests of the docs stand. Imported first: it lets them find the tools of the flow tests."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests" / "flow"))
