"""pypostcard before the gate (kit.py).

It has integers, floats, bool, arrays, flat dataclasses and enums without payload; the rest it lacks.
"""

import enum
from dataclasses import fields, is_dataclass, make_dataclass

from kit import FLOATS, WIDE, Lacking, bits_of, float_of, serve, variants_of
from pypostcard import types
from pypostcard.serde import take_from_postcard, to_postcard

LACKS = ["char", "string", "bytes", "option", "unit", "unit_struct", "seq", "tuple", "tuple_struct"]
LACKS += ["map", "usize", "isize", "def", "cobs", "crc", "accumulator"]


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
    variants = variants_of(schema)
    if any(payload in variant for variant in variants for payload in ("newtype", "tuple", "struct")):
        raise Lacking("enums with payload")
    return [variant["name"] for variant in variants]


def from_json(schema, value, hint):
    if isinstance(schema, str):
        if schema in FLOATS:
            return hint(float_of(schema, value))
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
            return bits_of(schema, value)
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


def encode(schema, hint, value):
    made = from_json(schema, value, hint)
    return to_postcard(made) if is_dataclass(hint) else types.serialize(hint, made)


def decode(schema, hint, data):
    value, used = take_from_postcard(hint, data) if is_dataclass(hint) else types.deserialize(hint, data)
    return to_json(schema, value, hint), used


if __name__ == "__main__":
    serve("pypostcard", LACKS, hint_of, encode, decode)
