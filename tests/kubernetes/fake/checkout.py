"""The checkout container's program, with its termination message where the test finds it."""

import os
import sys
from pathlib import Path

from spawners.kubernetes.inside import checkout

checkout.TERMINATION = Path(os.environ["SMALTI_FAKE_TERMINATION"])
sys.exit(checkout.main())
