# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Shell functions for the entry points (tests/run, tools/demo). They work on a
# Debian 12 machine with nothing but Debian's own base packages.

# list_packages LIST [SECTION...]: the packages of these sections, or of all
list_packages() (
	list=$1
	shift
	wanted=" $* "
	section=
	while read -r line; do
		case $line in
		"" | "#"*) continue ;;
		"["*"]")
			section=${line#"["}
			section=${section%"]"}
			continue
			;;
		esac
		case $wanted in
		"  " | *" $section "*) echo "$line" ;;
		esac
	done <"$list"
)

# as_root COMMAND...: directly as root, through sudo otherwise
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "migd: '$*' needs root; run this as root, or install sudo." >&2
		return 1
	fi
}

# ensure_packages LIST [SECTION...]: install what is missing, say what is done
ensure_packages() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		echo "migd: this is not a Debian machine; install the packages that $1 lists by hand." >&2
		return 1
	fi
	missing=
	for package in $(list_packages "$@"); do
		# shellcheck disable=SC2016 # a dpkg format, not a shell variable
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
		[ "$state" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0

	echo "packages: installing$missing"
	apt_log=$(mktemp)
	# shellcheck disable=SC2086 # a list of words
	if as_root apt-get -q update </dev/null >"$apt_log" 2>&1 &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
			--no-install-recommends install $missing </dev/null >>"$apt_log" 2>&1; then
		rm -f "$apt_log"
		echo "packages: done"
		return 0
	fi
	tail -n 20 "$apt_log" >&2
	echo "migd: apt-get could not install$missing; the full log is $apt_log." >&2
	return 1
}
