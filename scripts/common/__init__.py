"""What the scripts share. Who imports any of it can import binotel_core, too."""

import sys
from pathlib import Path

# It stands above scripts/, where Python does not look by itself. Last, so that no file beside it hides another module.
sys.path.append(str(Path(__file__).resolve().parents[2]))
