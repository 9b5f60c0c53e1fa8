"""What adapters of Python codecs share: the JSON lines of the kit (harness/conformance/suites/postcard/README.md)."""

import json
import logging
import struct
import sys
from importlib.metadata import version

WIDE = {"u64", "u128", "usize", "i64", "i128", "isize"}
FLOATS = {"f32": ("<f", "<I", 8), "f64": ("<d", "<Q", 16)}


class Lacking(Exception):
    """What the library has no type for."""


def float_of(schema, text):
    form, bits, _ = FLOATS[schema]
    return struct.unpack(form, struct.pack(bits, int(text, 16)))[0]


def bits_of(schema, value):
    form, bits, digits = FLOATS[schema]
    return f"0x{struct.unpack(bits, struct.pack(form, value))[0]:0{digits}x}"


def variants_of(schema):
    """Each variant with its name, the repeated ones too."""
    variants = []
    for variant in schema["variants"]:
        repeat = variant.get("repeat")
        if repeat is None:
            variants.append(variant)
        else:
            variants += [{"name": f"{variant['prefix']}{len(variants) + i}"} for i in range(repeat)]
    return variants


def answer(request, name, release, lacks, make, encode, decode, made):
    operation = request["op"]
    if operation == "hello":
        return {"name": name, "version": release or version(name), "lacks": lacks}
    if operation not in ("encode", "decode"):
        return {"skip": f"no {operation}"}
    schema = request["schema"]
    try:
        key = json.dumps(schema)
        if key not in made:
            made[key] = make(schema)
        if operation == "encode":
            return {"hex": encode(schema, made[key], request["value"]).hex()}
        value, consumed = decode(schema, made[key], bytes.fromhex(request["hex"]))
        return {"value": value, "consumed": consumed}
    except Lacking as lacking:
        return {"skip": f"no {lacking}"}
    except Exception as error:  # no library here has an error of its own: whatever it raises is its refusal
        return {"error": str(error), "kind": type(error).__name__}


def serve(name, lacks, make, encode, decode, release=None):
    """Answers until stdin ends. `make(schema)` gives what `encode(schema, made, json)` and `decode(schema, made, bytes)` work with.

    `release`: the version of what pip has not installed.
    """
    logging.disable()
    made = {}
    for line in sys.stdin:
        request = json.loads(line)
        reply = {"id": request["id"], **answer(request, name, release, lacks, make, encode, decode, made)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
