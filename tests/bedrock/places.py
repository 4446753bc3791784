"""Where the public data lies that the stub and its tests read: beside the checkout, unless the environment says otherwise."""

import os
from pathlib import Path

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parent / "../../../shared/data/specs"
SPECS = Path(os.environ.get("CUSTODY_SPECS", BESIDE_THE_CHECKOUT))
BEDROCK, AWS_WIRE = SPECS / "bedrock", SPECS / "aws_wire"
