#!/usr/bin/env python3
"""A second reader of .xlsx files, for comparing: nothing but Python's own library.

    scripts/workbooks.py FOLDER > src/source/torture_workbooks.digests.txt

For each file: its name, how many cells of all worksheets hold something, how many of them are
numbers or dates, and a digest (FNV-1a, 64 bits) of place, kind and text of all the others. A file
that this reader cannot read is left out.
"""

import posixpath
import re
import sys
import zipfile
import xml.etree.ElementTree as ET
from pathlib import Path

NO_RESULT = "(formula without a saved result)"


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def children(element, name):
    return [child for child in element if local(child) == name]


def attribute(element, name):
    for key, value in element.attrib.items():
        if key.rsplit("}", 1)[-1] == name:
            return value
    return None


class Package:
    def __init__(self, path):
        self.zip = zipfile.ZipFile(path)
        self.names = {name.replace("\\", "/").lower(): name for name in self.zip.namelist()}

    def part(self, name):
        found = self.names.get(name.lower())
        if found is None:
            return None
        text = self.zip.read(found)
        if b"<!DOCTYPE" in text:
            raise ValueError("entities of its own")
        return ET.fromstring(text)

    def relations(self, of):
        folder, name = posixpath.split(of)
        root = self.part(posixpath.join(folder, "_rels", name + ".rels").lstrip("/"))
        relations = {}
        for relation in children(root, "Relationship") if root is not None else []:
            target = relation.get("Target", "")
            if not target.startswith("/"):
                target = posixpath.join(folder, target)
            kind = relation.get("Type", "").rsplit("/", 1)[-1]
            relations[relation.get("Id")] = (kind, posixpath.normpath(target).lstrip("/"))
        return relations


def unescape(text):
    units = re.sub(
        "_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match.group(1), 16)), text
    )
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def item(element):
    """The text of an item of the list of texts, or of a cell's own text, without phonetic ones."""
    out = []
    for child in element:
        if local(child) == "t":
            text = child.text or ""
            if attribute(child, "space") != "preserve":
                text = text.strip(" \t\r\n")
            out.append(unescape(text))
        elif local(child) == "r":
            out.append(item(child))
    return "".join(out)


def column_number(letters):
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def cells(sheet, texts):
    row_number = 0
    for data in children(sheet, "sheetData"):
        for row in children(data, "row"):
            row_number = int(row.get("r") or row_number + 1)
            column = 0
            for cell in children(row, "c"):
                place = re.fullmatch("([A-Za-z]+)([0-9]+)", cell.get("r") or "")
                column = column_number(place.group(1)) if place else column + 1
                kind = cell.get("t", "n")
                value = "".join(v.text or "" for v in children(cell, "v"))
                inline = children(cell, "is")
                if inline:
                    yield row_number, column, "t", item(inline[0])
                elif value.strip() == "" and children(cell, "f"):
                    if not (kind == "str" and children(cell, "v")):
                        yield row_number, column, "e", NO_RESULT
                elif value.strip() == "":
                    continue
                elif kind == "s":
                    yield row_number, column, "t", texts[int(value)]
                elif kind == "b" and value.strip().lower() in ("0", "1", "true", "false"):
                    truth = value.strip().lower() in ("1", "true")
                    yield row_number, column, "b", "TRUE" if truth else "FALSE"
                elif kind == "e":
                    yield row_number, column, "e", value.strip()
                elif kind in ("n", "d"):
                    yield row_number, column, "n", ""
                else:
                    yield row_number, column, "t", unescape(value)


def digest(path):
    package = Package(path)
    book = next(
        (target for kind, target in package.relations("").values() if kind == "officeDocument"),
        "xl/workbook.xml",
    )
    relations = package.relations(book)
    texts = []
    for kind, target in relations.values():
        if kind == "sharedStrings" and (root := package.part(target)) is not None:
            texts = [item(si) for si in root.iter() if local(si) == "si"]
    filled = numbers = 0
    sum_ = 0xCBF29CE484222325
    for sheet in package.part(book).iter():
        kind, target = relations.get(attribute(sheet, "id"), ("", ""))
        if local(sheet) != "sheet" or kind != "worksheet":
            continue
        for row, column, kind, text in cells(package.part(target), texts):
            text = text.strip(" \t\r\n")
            if kind != "n" and text == "":
                continue
            filled += 1
            if kind == "n":
                numbers += 1
                continue
            for byte in f"{row},{column},{kind},{text}\n".encode("utf-8", "replace"):
                sum_ = (sum_ ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{path.name}\t{filled}\t{numbers}\t{sum_:016x}"


for path in sorted(Path(sys.argv[1]).glob("*.xlsx")):
    try:
        print(digest(path))
    except Exception as error:  # The comparison is for files that both can read.
        print(f"{path.name}: {type(error).__name__} {error}", file=sys.stderr)
