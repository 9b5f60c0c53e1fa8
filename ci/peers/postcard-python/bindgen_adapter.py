"""What postcard-bindgen generates for Python before the gate (kit.py): its package for each schema, made when it is first asked for.

It has no unit and no char; unit is asked as the unit struct that has the same bytes. Names are not on the wire: T0, f0, V0.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from kit import FLOATS, WIDE, Lacking, bits_of, float_of, serve, variants_of

GENERATOR = Path(__file__).parent.parent / "built" / "postcard-bindgen"
LACKS = ["def", "cobs", "crc", "accumulator"]


@dataclass
class Way:
    """Between the JSON of the kit and what the generated package takes."""

    of_json: object
    to_json: object


def same(value):
    return value


class Ways:
    """Ways into one package, whose classes the generator counts in the order in which it meets them (src/main.rs)."""

    def __init__(self, package):
        self.package = package
        self.count = 0

    def made(self, name):
        return getattr(self.package, name)

    def all(self, schemas):
        return [self.way(schema) for schema in schemas]

    def way(self, schema):
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("unit", "unit_struct", "newtype", "tuple_struct", "struct", "enum"):
            name = f"T{self.count}"
            self.count += 1
            return getattr(self, kind)(name, schema)
        return self.plain(kind) if isinstance(schema, str) else getattr(self, kind)(schema)

    def plain(self, kind):
        if kind in FLOATS:
            return Way(lambda bits: float_of(kind, bits), lambda value: bits_of(kind, value))
        if kind in WIDE:
            return Way(int, str)
        if kind == "bytes":
            return Way(lambda text: list(bytes.fromhex(text)), lambda items: bytes(items).hex())
        return Way(same, same)

    def option(self, schema):
        of = self.way(schema["of"])
        return Way(
            lambda json: None if json is None else of.of_json(json["some"]),
            lambda value: None if value is None else {"some": of.to_json(value)},
        )

    def seq(self, schema):
        of = self.way(schema["of"])
        return Way(
            lambda json: [of.of_json(item) for item in json],
            lambda items: [of.to_json(item) for item in items],
        )

    array = seq

    def tuple(self, schema):
        listed = self.listed(self.all(schema["items"]), lambda *items: items)

        def to_json(value):
            if not isinstance(value, tuple):
                raise TypeError(f"a tuple was read as {type(value).__name__}")
            return listed.to_json(value)

        return Way(listed.of_json, to_json)

    def map(self, schema):
        key, value = self.way(schema["key"]), self.way(schema["value"])
        return Way(
            lambda json: {key.of_json(k): value.of_json(v) for k, v in json},
            lambda read: [[key.to_json(k), value.to_json(v)] for k, v in read.items()],
        )

    def unit(self, name, _schema):
        return Way(lambda _: self.made(name)(), lambda _: None)

    unit_struct = unit

    def newtype(self, name, schema):
        return self.sole(self.way(schema["of"]), self.made(name))

    def tuple_struct(self, name, schema):
        return self.listed(self.all(schema["items"]), self.made(name))

    def struct(self, name, schema):
        return self.named(schema["fields"], self.made(name))

    def sole(self, way, build):
        return Way(lambda json: build(way.of_json(json)), lambda value: way.to_json(value[0]))

    def listed(self, ways, build):
        return Way(
            lambda json: build(*(way.of_json(item) for way, item in zip(ways, json))),
            lambda value: [way.to_json(value[i]) for i, way in enumerate(ways)],
        )

    def named(self, fields, build):
        ways = [(field["name"], f"f{i}", self.way(field["schema"])) for i, field in enumerate(fields)]
        return Way(
            lambda json: build(**{own: way.of_json(json[name]) for name, own, way in ways}),
            lambda value: {name: way.to_json(getattr(value, own)) for name, own, way in ways},
        )

    def payload(self, variant, build):
        if "newtype" in variant:
            return self.sole(self.way(variant["newtype"]), build)
        if "tuple" in variant:
            return self.listed(self.all(variant["tuple"]), build)
        if "struct" in variant:
            return self.named(variant["struct"], build)
        return None

    def enum(self, name, schema):
        ways, classes = {}, {}
        for i, variant in enumerate(variants_of(schema)):
            build = self.made(f"{name}_V{i}")
            way = self.payload(variant, build)
            ways[variant["name"]] = way or Way(lambda _, build=build: build(), None)
            classes[build] = (variant["name"], way)

        def to_json(value):
            called, way = classes[type(value)]
            return {"variant": called} if way is None else {"variant": called, "value": way.to_json(value)}

        return Way(lambda json: ways[json["variant"]].of_json(json.get("value")), to_json)


folder = tempfile.TemporaryDirectory(prefix="postcard-bindgen-")
count = 0


def generated(schema):
    """The package for a schema and the way into it, or what Python says of it."""
    global count
    name = f"made{count}"
    count += 1
    command = [GENERATOR, "python", folder.name, name]
    plain = {**os.environ, "RUST_BACKTRACE": "0"}
    run = subprocess.run(command, input=json.dumps(schema), capture_output=True, text=True, env=plain)
    if run.returncode == 3:
        raise Lacking(run.stdout)
    if run.returncode != 0:
        # the line of a panic behind the one that says where in the source
        return RuntimeError(f"the generator panics: {run.stderr.strip().splitlines()[1]}")
    sys.path.insert(0, f"{folder.name}/{name}/src")
    try:
        package = import_module(name)
        return package, Ways(package).way(schema)
    except Exception as error:  # most often a SyntaxError: all that it generated for the schema is lost
        return error
    finally:
        sys.path.pop(0)


def working(made):
    if isinstance(made, Exception):
        raise made
    return made


def encode(_schema, made, value):
    package, way = working(made)
    return package.serialize(package.Root(way.of_json(value)))


def decode(_schema, made, data):
    package, way = working(made)
    value, rest = package.deserialize(package.Root, data)
    return way.to_json(value[0]), len(data) - len(rest)


if __name__ == "__main__":
    serve("postcard-bindgen (Python)", LACKS, generated, encode, decode, release="0.9.1")
