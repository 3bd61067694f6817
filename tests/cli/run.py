#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""migctl against a service with a script (fake-migd), on a bus of its own.

    run.py MIGCTL FAKE-MIGD VERSION COMPLETION [MODULE.CLASS.TEST...]
"""

import sys
import unittest

if len(sys.argv) < 5:
    sys.exit(__doc__)

# pylint: disable=wrong-import-position
import doctor       # noqa: E402
import explain      # noqa: E402
import groups       # noqa: E402
import jobs         # noqa: E402
import metrics      # noqa: E402
import refusals     # noqa: E402
import remote       # noqa: E402
import top          # noqa: E402
import verbs        # noqa: E402


def load_tests(loader, _, __):
    return unittest.TestSuite(loader.loadTestsFromModule(module)
                              for module in (doctor, explain, groups, jobs, metrics, refusals,
                                            remote, top, verbs))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
