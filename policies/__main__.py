"""Entry point of `pulumi preview --policy-pack policies`."""

import sys
from pathlib import Path

# Pulumi runs the pack from this folder; the library lies beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policies.pack import serve

serve()
