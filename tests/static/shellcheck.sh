#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No complaint about anything that a shell reads.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"

# SC1090, SC1091: files that are sourced are checked by themselves
written_in .sh '[/ ](ba)?sh( |$)' | xargs -0 shellcheck -e SC1090,SC1091
