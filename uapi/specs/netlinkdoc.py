#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The manual page migd-netlink(7), of the specification; tests/static/ynl.sh calls it.

    netlinkdoc.py SPECIFICATION VERSION >PAGE"""

import sys

import yaml


def text(words):
    """Prose for roff."""
    words = words.strip().replace("\\", "\\e").replace("-", "\\-")
    return words if words.endswith(".") else words + "."


def upper(*words):
    return "_".join(words).upper().replace("-", "_")


def item(name, note, words):
    """One paragraph; one without words is what its name says."""
    return [f'.IP "\\fB{name}\\fP ({note})"'.replace("-", "\\-"), *([text(words)] if words else [])]


def listed(attributes):
    return ", ".join(f"\\fB{a}\\fP" for a in attributes).replace("-", "\\-")


def attribute_set(spec):
    lines = [f".SS Attributes of {spec['name']}: MIGD_A_{upper(spec['name'])}_*"]
    if "doc" in spec:
        lines.append(text(spec["doc"]))
    for attribute in spec["attributes"]:
        kind = attribute["type"]
        if kind == "nest":
            kind = attribute["nested-attributes"]
        if "enum" in attribute:
            kind += " " + attribute["enum"]
        if attribute.get("multi-attr"):
            kind += ", several"
        lines += item(attribute["name"], kind, attribute.get("doc"))
    return lines


def definition(spec):
    lines = [f".SS Values of {spec['name']}: MIGD_{upper(spec['name'])}_*"]
    if "doc" in spec:
        lines.append(text(spec["doc"]))
    for number, entry in enumerate(spec["entries"]):
        if isinstance(entry, str):
            entry = {"name": entry}
        value = 1 << number if spec["type"] == "flags" else number
        lines += item(entry["name"], str(value), entry.get("doc"))
    return lines


def message(title, spec):
    return [".br", f"{title}: {listed(spec['attributes'])}."] if spec else []


def operation(spec):
    how = [way for way in ("do", "dump") if way in spec] or ["event"]
    lines = item(spec["name"], ", ".join(how), spec["doc"])
    if "notify" in spec:
        return lines
    lines += [".br", f"Attributes of {spec['attribute-set']}."]
    for way in how:
        here = spec[way]
        lines += message("Request", here.get("request"))
        lines += message("Reply to a dump" if way == "dump" else "Reply", here.get("reply"))
        if way == "event":
            lines += message("Message", here)
    return lines


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        spec = yaml.safe_load(f)
    operations = spec["operations"]["list"]
    asked = [o for o in operations if "do" in o or "dump" in o]
    events = [o for o in operations if o not in asked]
    groups = listed(g["name"] for g in spec["mcast-groups"]["list"])
    lines = [
        '.\\" SPDX-License-Identifier: GPL-2.0',
        '.\\" of uapi/specs/migd.yaml, by netlinkdoc.py: do not edit',
        f'.TH MIGD-NETLINK 7 "" "migd {sys.argv[2]}" "Miscellaneous"',
        ".nh",
        ".SH NAME",
        "migd\\-netlink \\- the generic netlink family of the kernel module migd",
        ".SH SYNOPSIS",
        ".nf",
        ".B #include <linux/migd_netlink.h>",
        ".fi",
        ".SH DESCRIPTION",
        text(spec["doc"]),
        ".PP",
        "The family is",
        ".BR MIGD_FAMILY_NAME ,",
        f"its multicast group {groups}.",
        "The header has the names of this page in capitals, with underscores:",
        f"{listed([asked[0]['name']])} is",
        f".BR MIGD_CMD_{upper(asked[0]['name'])} .",
        ".BR migd (8)",
        "is the one that uses it; for everybody else there is",
        ".BR org.migd1 (5).",
        ".SH OPERATIONS",
    ]
    for one in asked:
        lines += operation(one)
    lines.append(".SH EVENTS")
    for one in events:
        lines += operation(one)
    lines.append(".SH ATTRIBUTES")
    for one in spec["attribute-sets"]:
        lines += attribute_set(one)
    lines.append(".SH VALUES")
    for one in spec["definitions"]:
        lines += definition(one)
    lines += [".SH SEE ALSO", ".BR migd (4),", ".BR org.migd1 (5),", ".BR netlink (7),",
              ".BR migd (8)"]
    print("\n".join(lines))


main()
