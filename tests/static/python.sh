#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every Python file compiles.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

written_in .py python3 | xargs -0 /usr/bin/python3 -W error -c 'import pathlib, sys
for name in sys.argv[1:]:
    compile(pathlib.Path(name).read_text("utf-8"), name, "exec")'
