"""Where the public data lies that the stub and its tests read: beside the checkout, unless the environment says otherwise."""

import os
from pathlib import Path

SPECS = Path(os.environ.get("CUSTODY_SPECS", Path(__file__).resolve().parents[3] / "shared/data/specs"))
BEDROCK, AWS_WIRE = SPECS / "bedrock", SPECS / "aws_wire"
