"""pohlednice before the gate (kit.py).

Its types read an iterator of bytes; its Array cannot be given a type at all (`Array[U8, 3]` raises AttributeError), so arrays of
fixed length are the tuples that they are on the wire, and so is unit, the empty one. It has no char, usize or recursive types.
"""

import pohlednice
from kit import FLOATS, WIDE, Lacking, bits_of, float_of, serve, variants_of

LACKS = ["usize", "isize", "def", "cobs", "crc", "accumulator"]
PLAIN = {"bool": "Bool", "string": "String", "bytes": "ByteArray"}
PLAIN |= {f"{sign}{bits}": f"{sign.upper()}{bits}" for sign in "ui" for bits in (8, 16, 32, 64, 128)}
PLAIN |= {"f32": "F32", "f64": "F64"}


class Counted:
    """An iterator that knows how many bytes were taken of it."""

    def __init__(self, data):
        self.rest, self.taken = iter(data), 0

    def __iter__(self):
        return self

    def __next__(self):
        byte = next(self.rest)
        self.taken += 1
        return byte


def struct_of(fields):
    # annotations are its fields; names are not on the wire
    named = {f"f{i}": type_of(field["schema"]) for i, field in enumerate(fields)}
    return type("Struct", (pohlednice.Struct,), {"__annotations__": named})


def payload_of(variant):
    if "newtype" in variant:
        return type_of(variant["newtype"])
    if "tuple" in variant:
        return tuple_of(variant["tuple"])
    return struct_of(variant["struct"]) if "struct" in variant else None


def tuple_of(items):
    return pohlednice.Tuple[tuple(type_of(item) for item in items)]


def is_unit(schema):
    return schema == "unit" or (isinstance(schema, dict) and schema["type"] == "unit_struct")


def type_of(schema):
    """The library's type for a schema of the kit."""
    if is_unit(schema):
        return pohlednice.Tuple[()]
    if isinstance(schema, str):
        if schema not in PLAIN:
            raise Lacking(schema)
        return getattr(pohlednice, PLAIN[schema])
    kind = schema["type"]
    if kind == "newtype":
        return type_of(schema["of"])
    if kind == "option":
        return pohlednice.Option[type_of(schema["of"])]
    if kind == "seq":
        return pohlednice.List[type_of(schema["of"])]
    if kind == "array":
        return tuple_of([schema["of"]] * schema["len"])
    if kind in ("tuple", "tuple_struct"):
        return tuple_of(schema["items"])
    if kind == "map":
        return pohlednice.Dict[type_of(schema["key"]), type_of(schema["value"])]
    if kind == "struct":
        return struct_of(schema["fields"])
    if kind == "enum":
        payloads = {f"v{i}": payload_of(variant) for i, variant in enumerate(variants_of(schema))}
        return type("Enum", (pohlednice.Enum,), {"__annotations__": payloads})
    raise Lacking(kind)


def items_of(schema):
    kind = schema["type"]
    if kind == "array":
        return [schema["of"]] * schema["len"]
    return schema["items"]


def payload_schema(variant):
    if "newtype" in variant:
        return variant["newtype"]
    if "tuple" in variant:
        return {"type": "tuple", "items": variant["tuple"]}
    return {"type": "struct", "fields": variant["struct"]} if "struct" in variant else None


def from_json(schema, made, value):
    if is_unit(schema):
        return ()
    if isinstance(schema, str):
        if schema in FLOATS:
            return float_of(schema, value)
        if schema == "bytes":
            return bytes.fromhex(value)
        return int(value) if schema in WIDE else value
    kind = schema["type"]
    if kind == "newtype":
        return from_json(schema["of"], made, value)
    if kind == "option":
        return None if value is None else from_json(schema["of"], made.type, value["some"])
    if kind == "seq":
        return [from_json(schema["of"], made.type, item) for item in value]
    if kind in ("array", "tuple", "tuple_struct"):
        return tuple(from_json(of, to, item) for of, to, item in zip(items_of(schema), made.types, value))
    if kind == "map":
        return {from_json(schema["key"], made.key, k): from_json(schema["value"], made.value, v) for k, v in value}
    if kind == "struct":
        types = made.__annotations__.values()
        return made(*(from_json(field["schema"], to, value[field["name"]]) for field, to in zip(schema["fields"], types)))
    variants = variants_of(schema)
    index = [variant["name"] for variant in variants].index(value["variant"])
    variant, of = getattr(made, f"v{index}"), payload_schema(variants[index])
    return variant if of is None else variant(from_json(of, variant.type, value["value"]))


def to_json(schema, made, value):
    if is_unit(schema):
        return None
    if isinstance(schema, str):
        if schema in FLOATS:
            return bits_of(schema, value)
        if schema == "bytes":
            return bytes(value).hex()
        return str(value) if schema in WIDE else value
    kind = schema["type"]
    if kind == "newtype":
        return to_json(schema["of"], made, value)
    if kind == "option":
        return None if value is None else {"some": to_json(schema["of"], made.type, value)}
    if kind == "seq":
        return [to_json(schema["of"], made.type, item) for item in value]
    if kind in ("array", "tuple", "tuple_struct"):
        return [to_json(of, to, item) for of, to, item in zip(items_of(schema), made.types, value)]
    if kind == "map":
        return [[to_json(schema["key"], made.key, k), to_json(schema["value"], made.value, v)] for k, v in value.items()]
    if kind == "struct":
        named = zip(schema["fields"], made.__annotations__.items())
        return {field["name"]: to_json(field["schema"], to, getattr(value, name)) for field, (name, to) in named}
    # a variant without payload is read as None, whichever it is
    if value is None:
        return {"variant": "None"}
    variant = variants_of(schema)[value.index]
    return {"variant": variant["name"], "value": to_json(payload_schema(variant), value.type, value.value)}


def encode(schema, made, value):
    return bytes(made.to_bytes(from_json(schema, made, value)))


def decode(schema, made, data):
    given = Counted(data)
    return to_json(schema, made, made.from_bytes(given)), given.taken


if __name__ == "__main__":
    serve("pohlednice", LACKS, type_of, encode, decode)
