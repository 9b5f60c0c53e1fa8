"""pypostcard before the gate: answers JSON lines (harness/conformance/suites/postcard/README.md).

It has integers, floats, bool, arrays, flat dataclasses and enums without payload; the rest it lacks.
"""

import enum
import json
import logging
import struct
import sys
from dataclasses import fields, is_dataclass, make_dataclass
from importlib.metadata import version

from pypostcard import types
from pypostcard.serde import take_from_postcard, to_postcard

LACKS = ["char", "string", "bytes", "option", "unit", "unit_struct", "seq", "tuple", "tuple_struct"]
LACKS += ["map", "usize", "isize", "def", "cobs", "crc", "accumulator"]
WIDE = {"u64", "u128", "i64", "i128"}
FLOATS = {"f32": ("<f", "<I", 8), "f64": ("<d", "<Q", 16)}


HINTS = {}


class Lacking(Exception):
    """What the library has no type for."""


def hint_of(schema):
    """The library's type for a schema of the kit."""
    if schema == "bool":
        return bool
    if isinstance(schema, str):
        if not hasattr(types, schema):
            raise Lacking(schema)
        return getattr(types, schema)
    kind = schema["type"]
    if kind == "newtype":
        return hint_of(schema["of"])
    if kind == "array":
        return types.List[hint_of(schema["of"]), schema["len"]]
    if kind == "struct":
        named = [(f"f{i}", hint_of(field["schema"])) for i, field in enumerate(schema["fields"])]
        return make_dataclass("Struct", named)
    if kind == "enum":
        return types.Enum[types.u32, enum.IntEnum("Variants", {name: i for i, name in enumerate(names_of(schema))})]
    raise Lacking(kind)


def names_of(schema):
    names = []
    for variant in schema["variants"]:
        if any(payload in variant for payload in ("newtype", "tuple", "struct")):
            raise Lacking("enums with payload")
        repeat = variant.get("repeat")
        names += [f"{variant['prefix']}{len(names) + i}" for i in range(repeat)] if repeat else [variant["name"]]
    return names


def from_json(schema, value, hint):
    if isinstance(schema, str):
        if schema in FLOATS:
            form, bits, _ = FLOATS[schema]
            return hint(struct.unpack(form, struct.pack(bits, int(value, 16)))[0])
        return hint(int(value)) if schema in WIDE else hint(value)
    kind = schema["type"]
    if kind == "newtype":
        return from_json(schema["of"], value, hint)
    if kind == "array":
        return hint([from_json(schema["of"], item, hint.__args__[0]) for item in value])
    if kind == "struct":
        given = zip(schema["fields"], fields(hint))
        return hint(**{to.name: from_json(field["schema"], value[field["name"]], to.type) for field, to in given})
    return hint(hint.__args__[1][value["variant"]])


def to_json(schema, value, hint):
    if isinstance(schema, str):
        if schema in FLOATS:
            form, bits, digits = FLOATS[schema]
            return f"0x{struct.unpack(bits, struct.pack(form, value))[0]:0{digits}x}"
        if schema == "bool":
            return bool(value)
        return str(int(value)) if schema in WIDE else int(value)
    kind = schema["type"]
    if kind == "newtype":
        return to_json(schema["of"], value, hint)
    if kind == "array":
        return [to_json(schema["of"], value[i], hint.__args__[0]) for i in range(len(value))]
    if kind == "struct":
        # a field that the library did not read is missing
        read = zip(schema["fields"], fields(hint))
        return {field["name"]: to_json(field["schema"], getattr(value, to.name), to.type) for field, to in read}
    return {"variant": value._value.name}


def answer(request):
    operation = request["op"]
    if operation == "hello":
        return {"name": "pypostcard", "version": version("pypostcard"), "lacks": LACKS}
    if operation not in ("encode", "decode"):
        return {"skip": f"no {operation}"}
    schema = request["schema"]
    try:
        key = json.dumps(schema)
        if key not in HINTS:
            HINTS[key] = hint_of(schema)
        hint = HINTS[key]
        if operation == "encode":
            value = from_json(schema, request["value"], hint)
            data = to_postcard(value) if is_dataclass(hint) else types.serialize(hint, value)
            return {"hex": data.hex()}
        data = bytes.fromhex(request["hex"])
        value, used = take_from_postcard(hint, data) if is_dataclass(hint) else types.deserialize(hint, data)
        return {"value": to_json(schema, value, hint), "consumed": used}
    except Lacking as lacking:
        return {"skip": f"no {lacking}"}
    except Exception as error:  # the library has no error of its own: whatever it raises is its refusal
        return {"error": str(error), "kind": type(error).__name__}


def main():
    logging.disable()
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps({"id": request["id"], **answer(request)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
