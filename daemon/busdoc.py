#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The documentation of the bus interface, of the daemon's own introspection.

    busdoc.py [--write] [INTROSPECT]

INTROSPECT is the program of introspect.c. What it says is written to
interfaces/, one file for each interface, and as their synopses into
org.migd1.5, or compared with what is there. Without it, the page is compared
with interfaces/. Written by hand are the sentences: each member, option and
error has one in the page, and the page has no other."""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE / "org.migd1.5"
FILES = HERE / "interfaces"
WIDTH = 68
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
EXPLICIT = "org.freedesktop.systemd1.Explicit"
HEADER = """<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<!-- SPDX-License-Identifier: GPL-2.0 -->
<!-- of the daemon's introspection, by busdoc.py: do not edit -->
"""
BEGIN = '.\\" {}: of interfaces/, by busdoc.py: do not edit\n'
END = '.\\" end\n'


def interfaces(text):
    """{name: element} of the nodes in the text."""
    found = {}
    for node in re.findall(r"<node>.*?</node>", text, re.S):
        for interface in ET.fromstring(node).findall("interface"):
            if interface.get("name").startswith("org.migd1."):
                found[interface.get("name")] = interface
    return found


def as_file(interface):
    """The interface in a form that does not depend on the version of sd-bus."""
    def copy(element, names):
        made = ET.Element(element.tag)
        for name in names:
            if element.get(name):
                made.set(name, element.get(name))
        for child in element:
            made.append(copy(child, ("name", "type", "direction", "access", "value")))
        return made

    node = ET.Element("node")
    node.append(copy(interface, ("name",)))
    ET.indent(node, " ")
    return HEADER + ET.tostring(node, encoding="unicode") + "\n"


def call(member):
    """A method or signal, on one line or with an argument on each."""
    args = [f"{a.get('direction', ''):3} {a.get('type')} {a.get('name')}".lstrip()
            for a in member.findall("arg")]
    line = f"    {member.get('name')}({', '.join(re.sub(' +', ' ', a) for a in args)});"
    if len(line) <= WIDTH:
        return [line]
    head = f"    {member.get('name')}("
    return [(head if i == 0 else " " * len(head)) + arg + (");" if i == len(args) - 1 else ",")
            for i, arg in enumerate(args)]


def annotation(member, name):
    return next((a.get("value") for a in member.findall("annotation") if a.get("name") == name),
                None)


def kind_of(prop):
    words = ["readwrite" if prop.get("access") == "readwrite" else "readonly"]
    words += {"const": ["const"], "false": ["silent"],
              "invalidates": ["invalidates"]}.get(annotation(prop, EMITS), [])
    if annotation(prop, EXPLICIT) == "true":
        words.append("explicit")
    return " ".join(words)


def synopsis(interface):
    """The lines between the markers in the page."""
    lines = [f"interface {interface.get('name')} {{"]
    for tag, title in (("method", "methods"), ("signal", "signals")):
        members = interface.findall(tag)
        if members:
            lines += [f"  {title}:", *(line for m in members for line in call(m))]
    props = interface.findall("property")
    if props:
        kinds = max(len(kind_of(p)) for p in props)
        types = max(len(p.get("type")) for p in props)
        lines += ["  properties:", *(f"    {kind_of(p):{kinds}}  {p.get('type'):{types}}  "
                                     f"{p.get('name')};" for p in props)]
    return "".join(line + "\n" for line in (".EX", *lines, "}", ".EE"))


def plain(text):
    """Roff without fonts, quotes and requests."""
    text = re.sub(r"\\f.", "", text)
    return re.sub(r"^\.\S+ ?", "", text, flags=re.M).replace('"', "").replace("\\", "")


def entries(body):
    """Names of the head and sentence of each .TP, what is between .RS and .RE left out."""
    body = re.sub(r"^\.RS\n.*?^\.RE\n", "", body, flags=re.M | re.S)
    for entry in re.split(r"^\.TP\n", body, flags=re.M)[1:]:
        head, _, sentence = entry.partition("\n")
        names = re.split(" *, *", plain(head).strip())
        yield [re.sub(" *[(]", "(", name) for name in names], plain(sentence)


def compare(what, real, told):
    return ([f"{what} {name} has no description" for name in sorted(set(real) - set(told))] +
            [f"{what} {name} is described, but is not there"
             for name in sorted(set(told) - set(real))])


def check_section(interface, body):
    """What is wrong with the descriptions of one interface."""
    name = interface.get("name")
    real = {m.get("name") + ("()" if m.tag == "method" else "") for m in interface
            if m.tag != "annotation"}
    told, wrong = [], []
    for names, sentence in entries(body):
        told += names
        wrong += [f"{name}: '{n}' is not a NAME, or NAME() for a method; what it takes is in "
                  "the synopsis" for n in names if not re.fullmatch(r"\w+(\(\))?", n)]
        if not re.search(r"\w+ .*\w.*\.$", sentence, re.S | re.M):
            wrong.append(f"{name}: {', '.join(names)} has no sentence")
    wrong += [f"{name}: {n} is described twice" for n in sorted(set(told)) if told.count(n) > 1]
    return wrong + compare(name + ":", real, told)


def check_words(said, sections):
    """The options, with their types, and the errors."""
    options = {f"{n}({t})" for n, t in re.findall(r"^option (\S+) (\S+)$", said, re.M)}
    errors = set(re.findall(r"^error org\.migd1\.Error\.(\S+)$", said, re.M))
    rows = re.search(r"^\.RS\n(.*?)^\.RE\n", sections["ORG.MIGD1.MANAGER"], re.M | re.S)[1]
    return (compare("option", options, [name for names, _ in entries(rows) for name in names]) +
            compare("error", errors, [name for names, _ in entries(sections["ERRORS"])
                                      for name in names]))


def settle(path, text, write):
    """Write the file, or say that it is not what it ought to be."""
    if path.exists() and path.read_text("utf-8") == text:
        return []
    if write:
        path.write_text(text, "utf-8")
        return []
    return [f"{path.name} is not what the introspection makes: ninja -C BUILD busdoc"]


def main():
    args = sys.argv[1:]
    write = args[:1] == ["--write"]
    program = args[write:]
    if len(program) > 1 or write and not program:
        sys.exit(__doc__)
    if program:
        said = subprocess.run(program, check=True, stdout=subprocess.PIPE, text=True).stdout
    else:
        said = "".join(f.read_text("utf-8") for f in sorted(FILES.glob("*.xml")))
    real = interfaces(said)
    if not real:
        sys.exit("busdoc: no interface org.migd1.* was found")

    wrong = []
    page = PAGE.read_text("utf-8")
    for name, interface in sorted(real.items()):
        wrong += settle(FILES / f"{name}.xml", as_file(interface), write)
        old = re.search(re.escape(BEGIN.format(name)) + ".*?" + re.escape(END), page, re.S)
        if old:
            page = page.replace(old[0], BEGIN.format(name) + synopsis(interface) + END)
        else:
            wrong.append(f"{name}: the page has no place for it, which is two lines:\n"
                         f"{BEGIN.format(name)}{END}")
    wrong += settle(PAGE, page, write)
    wrong += [f"{f.name} is of no interface that is there" for f in sorted(FILES.glob("*"))
              if f.stem not in real or f.suffix != ".xml"]
    sections = {title: body for title, _, body in
                (s.partition("\n") for s in re.split(r"^\.SH ", page, flags=re.M)[1:])}
    wrong += compare("section", {n.upper() for n in real},
                     {t for t in sections if t.startswith("ORG.MIGD1.")})
    for name, interface in sorted(real.items()):
        wrong += check_section(interface, sections.get(name.upper(), ""))
    if program:
        wrong += check_words(said, sections)
    for line in wrong:
        print(f"daemon/org.migd1.5: {line}", file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
