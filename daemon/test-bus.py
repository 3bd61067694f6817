#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The manual page of the bus interface has what the daemon's introspection has.

    test-bus.py TEST-BUS PAGE

Each method, property and signal of org.migd1.* is in its interface's section,
with its signature, and with a sentence; and the page has no other."""

import re
import subprocess
import sys
import xml.etree.ElementTree


def members(program):
    """{interface: {member: signature}}, as the page writes the signature."""
    text = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {}
    for node in re.findall(r"<node>.*?</node>\n", text, re.S):
        for interface in xml.etree.ElementTree.fromstring(node).findall("interface"):
            if not interface.get("name").startswith("org.migd1."):
                continue
            here = found.setdefault(interface.get("name"), {})
            for member in interface:
                if member.tag == "property":
                    here[member.get("name")] = member.get("type")
                elif member.tag in ("method", "signal"):
                    args = member.findall("arg")
                    out = [a.get("type") for a in args if a.get("direction") == "out"]
                    into = [a.get("type") for a in args if a.get("direction") != "out"]
                    here[member.get("name")] = " ".join(["(", *into, ")", *out])
    return found


def plain(line):
    """A line of roff without fonts and quotes."""
    line = re.sub(r"\\f.", "", line.replace(r"\(->", "->"))
    return re.sub(r"^\.[BI][RI]? ", "", line).replace('"', "").replace("\\", "")


def documented(page):
    """The same from the page, and the members that have no sentence. A member is in
    the line after a .TP, a method or signal after .BR, properties after .IR; what is
    between .RS and .RE is an option."""
    found, silent = {}, []
    for section in re.split(r"^\.SH ", page, flags=re.M)[1:]:
        title, _, body = section.partition("\n")
        if not title.startswith("ORG.MIGD1."):
            continue
        here = found.setdefault("org.migd1." + title[10:].capitalize(), {})
        body = re.sub(r"^\.RS\n.*?^\.RE\n", "", body, flags=re.M | re.S)
        for entry in re.split(r"^\.TP\n", body, flags=re.M)[1:]:
            head, _, sentence = entry.partition("\n")
            head = re.sub(r" +", " ", plain(head))
            call = re.match(r"(\w+) ?\(([^()]*(?:\([^()]*\))?[^()]*)\)( -> (\S+).*)?$", head)
            if call and entry.startswith(".BR "):
                types = [arg.split()[0] for arg in call[2].split(", ") if arg]
                here[call[1]] = " ".join(["(", *types, ")", *([call[4]] if call[4] else [])])
                names = [call[1]]
            else:
                names = []
                for group, kind in re.findall(r"([\w, ]+?) \(((?:[^()]|\([^()]*\))+)\)", head):
                    for name in re.findall(r"\w+", group):
                        here[name] = kind
                        names.append(name)
            if not re.search(r"\w\S* .*\.$|\w.*\n.*\.$", plain(sentence), re.M):
                silent += names
    return found, silent


def main():
    real = members(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as f:
        told, silent = documented(f.read())
    wrong = [f"{name}: there is no sentence" for name in silent]
    if set(real) != {f"org.migd1.{i}" for i in ("Manager", "Job", "Group", "Engine", "Policy")}:
        wrong.append(f"introspection has the interfaces {sorted(real)}")
    for interface in sorted(set(real) | set(told)):
        is_, says = real.get(interface, {}), told.get(interface, {})
        wrong += [f"{interface}.{name}: is '{is_.get(name, 'not there')}', "
                  f"the page says '{says.get(name, 'nothing')}'"
                  for name in sorted(set(is_) | set(says)) if is_.get(name) != says.get(name)]
    for line in wrong:
        print(f"{sys.argv[2]}: {line}", file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
