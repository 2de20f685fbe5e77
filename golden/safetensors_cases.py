"""What the reference parser (the Python package safetensors, which is the Rust crate) says to headers of every odd kind.

Writes golden/safetensors-cases.jsonl: a line a file, as its header (text, or latin-1 where it is no UTF-8), the number of bytes
after it (0, 1, 2 … mod 256), and the verdict: `null` where it is refused, else every tensor's dtype, shape and first byte, and the metadata.

    .loupe/torch/bin/python golden/safetensors_cases.py [--out FILE]
"""

import argparse
import json
import struct
from pathlib import Path

from safetensors_verdict import verdict

OUT = Path(__file__).parent / "safetensors-cases.jsonl"


def t(dtype='"F32"', shape="[4]", offsets="[0,16]", name="t", more=""):
    return f'"{name}":{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}{more}}}'


def header(*entries):
    return "{" + ",".join(entries) + "}"


ONE = header(t())
CASES: list[tuple[str, object, int, dict]] = []


def case(name, head, data=16, **more):
    CASES.append((name, head, data, more))


# The file
case("one tensor", ONE)
case("empty", None, 0, raw=b"")
case("seven bytes", None, 0, raw=b"\x02\0\0\0\0\0\0")
case("a length alone", None, 0, raw=b"\0" * 8)
case("a length of 2^63", None, 0, raw=struct.pack("<Q", 1 << 63) + ONE.encode() + bytes(16))
case("a length of 2^64 - 1", None, 0, raw=struct.pack("<Q", (1 << 64) - 1) + ONE.encode() + bytes(16))
case("a length one too long", None, 0, raw=struct.pack("<Q", len(ONE) + 17) + ONE.encode() + bytes(16))
case("a length one too short", None, 0, raw=struct.pack("<Q", len(ONE) - 1) + ONE.encode() + bytes(16))
case("no tensors", "{}", 0)
case("no tensors and a byte", "{}", 1)
case("a byte after the last tensor", ONE, 17)
case("a byte too few", ONE, 15)
case("eight bytes after the last tensor", ONE, 24)
# The header as text
case("spaces behind", ONE + "   ")
case("new lines and tabs behind", ONE + "\n\t\r ")
case("a space in front", " " + ONE)
case("a new line in front", "\n" + ONE)
case("a zero byte behind", ONE + "\0")
case("a form feed behind", ONE + "\f")
case("a no-break space behind", ONE + "\u00a0")
case("a byte order mark in front", "\ufeff" + ONE)
case("a second object behind", ONE + "{}")
case("a comma behind", ONE[:-1] + ",}")
case("spaces everywhere", '{ "t" : { "dtype" : "F32" , "shape" : [ 4 ] , "data_offsets" : [ 0 , 16 ] } }')
case("a comment", "{/**/" + ONE[1:])
case("single quotes", ONE.replace('"', "'"))
for name, text in [("a list", "[]"), ("a number", "1"), ("a string", '"a"'), ("null", "null"), ("nothing", ""), ("spaces", "  ")]:
    case(f"{name} as header", text, 0)
for name, raw in [
    ("a lone continuation byte", b"\x80"),
    ("an overlong slash", b"\xc0\xaf"),
    ("a surrogate in UTF-8", b"\xed\xa0\x80"),
    ("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
    ("a cut sequence", b"\xe2\x82"),
    ("latin-1", b"\xe9"),
]:
    case(f"{name} in a name", header(t(name="@")).encode().replace(b"@", raw))
for name, text in [
    ("an escape", "a\\u0062\\n\\/\\\\"),
    ("a lone high surrogate", "\\ud800"),
    ("a lone low surrogate", "\\udc00"),
    ("two high surrogates", "\\ud800\\ud800"),
    ("a pair of surrogates", "\\ud83d\\ude00"),
    ("a bad escape", "\\x"),
    ("an octal escape", "\\0"),
    ("short hex", "\\u12"),
    ("a raw new line", "\n"),
    ("a raw tab", "\t"),
    ("a raw U+001F", "\x1f"),
    ("a raw U+007F", "\x7f"),
    ("U+2028", "\u2028"),
    ("an emoji", "\U0001f600"),
    ("nothing", ""),
    ("__proto__", "__proto__"),
    ("constructor", "constructor"),
    ("__metadata__ in escapes", "__met\\u0061data__"),
    ("300 characters", "n" * 300),
]:
    case(f"{text!r} as a name: {name}", header(t(name=text)))
# Keys of the header
case("a tensor twice, the same", header(t(), t()))
case("a tensor twice, the second shorter", header(t(), t(shape="[2]", offsets="[0,8]")), 16)
case("a tensor twice, the second shorter and the data too", header(t(), t(shape="[2]", offsets="[0,8]")), 8)
case("a tensor twice, the first wrong", header(t(dtype='"X"'), t()))
case("a tensor twice, by an escape", header(t(), t(name="\\u0074")))
for name, value in [
    ("empty", "{}"),
    ("of strings", '{"a":"b","c":""}'),
    ("null", "null"),
    ("a list", "[]"),
    ("a list of strings", '["a"]'),
    ("a string", '"a"'),
    ("a number", "1"),
    ("with a number", '{"a":1}'),
    ("with null", '{"a":null}'),
    ("with a list", '{"a":[]}'),
    ("with an object", '{"a":{}}'),
    ("with true", '{"a":true}'),
    ("with a key twice", '{"a":"1","a":"2"}'),
    ("with __proto__", '{"__proto__":"x"}'),
    ("with an empty key", '{"":"x"}'),
    ("true", "true"),
    ("of a tensor's form", '{"dtype":"F32","shape":[4],"data_offsets":[0,16]}'),
]:
    case(f"__metadata__ {name}", header(f'"__metadata__":{value}', t()))
    case(f"__metadata__ {name}, behind", header(t(), f'"__metadata__":{value}'))
    case(f"__metadata__ {name}, alone", header(f'"__metadata__":{value}'), 0)
case("__metadata__ twice", header('"__metadata__":{"a":"1"}', t(), '"__metadata__":{"a":"2"}'))
case("__metadata__ twice, once null", header('"__metadata__":null', t(), '"__metadata__":{"a":"2"}'))
case("__metadata__ in escapes, a map", header('"__metadat\\u0061__":{"a":"1"}', t()))
case("metadata without the bars", header('"metadata":{"a":"b"}', t()))
# A tensor's object
for name, value in [
    ("null", "null"),
    ("a list of three", '["F32",[4],[0,16]]'),
    ("a list of two", '["F32",[4]]'),
    ("a list of four", '["F32",[4],[0,16],1]'),
    ("an empty list", "[]"),
    ("an empty object", "{}"),
    ("a string", '"F32"'),
    ("a number", "7"),
    ("true", "true"),
]:
    case(f"a tensor that is {name}", header(f'"t":{value}'))
    case(f"a tensor that is {name}, no data", header(f'"t":{value}'), 0)
for key in ("dtype", "shape", "data_offsets"):
    parts = {"dtype": '"F32"', "shape": "[4]", "data_offsets": "[0,16]"}
    del parts[key]
    case(f"a tensor without {key}", '{"t":{' + ",".join(f'"{k}":{v}' for k, v in parts.items()) + "}}")
for name, more in [
    ("an unknown key", ',"x":1'),
    ("an unknown key, null", ',"x":null'),
    ("an unknown key with depth", ',"x":{"y":[{"z":[1.5e3,-2,true]}]}'),
    ("an unknown key twice", ',"x":1,"x":2'),
    ("a number out of range under an unknown key", ',"x":1e999'),
    ("a small number under an unknown key", ',"x":1e-999'),
    ("a long number under an unknown key", ',"x":' + "9" * 400),
    ("-0 under an unknown key", ',"x":-0'),
    ("01 under an unknown key", ',"x":01'),
    ("+1 under an unknown key", ',"x":+1'),
    ("1. under an unknown key", ',"x":1.'),
    (".5 under an unknown key", ',"x":.5'),
    ("1e under an unknown key", ',"x":1e'),
    ("1E+05 under an unknown key", ',"x":1E+05'),
    ("- under an unknown key", ',"x":-'),
    ("NaN under an unknown key", ',"x":NaN'),
    ("Infinity under an unknown key", ',"x":Infinity'),
    ("tru under an unknown key", ',"x":tru'),
    ("a lone surrogate under an unknown key", ',"x":"\\ud800"'),
    ("an unknown key with a lone surrogate", ',"\\ud800":1'),
    ("dtype twice, the same", ',"dtype":"F32"'),
    ("dtype twice", ',"dtype":"I32"'),
    ("shape twice", ',"shape":[4]'),
    ("data_offsets twice", ',"data_offsets":[0,16]'),
    ("__metadata__", ',"__metadata__":{"a":"b"}'),
    ("__proto__", ',"__proto__":{"dtype":"F16"}'),
    ("dtype by an escape", ',"dtyp\\u0065":"F32"'),
]:
    case(f"a tensor with {name}", header(t(more=more)))
case("keys of a tensor in another order", '{"t":{"data_offsets":[0,16],"shape":[4],"dtype":"F32"}}')
for depth in (10, 100, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 1000):
    case(f"{depth} lists under an unknown key", header(t(more=',"x":' + "[" * depth + "]" * depth)))
    case(f"{depth} objects under an unknown key", header(t(more=',"x":' + '{"a":' * depth + "1" + "}" * depth)))
    case(f"{depth} lists in the place of a tensor", header('"u":' + "[" * depth + "]" * depth, t()))
    case(f"{depth} lists in metadata", header('"__metadata__":' + "[" * depth + "]" * depth, t()))
    case(f"{depth} lists in the place of a header", "[" * depth + "]" * depth)
# dtype
WIDTHS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32,
    "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "C128": 128, "F128": 128, "I4": 4, "U4": 4, "F4_E2M1": 4, "E8M0": 8, "C32": 32, "I2": 2, "B1": 1, "F8": 8,
    "F3": 3, "float32": 32, "f32": 32, "Float32": 32, "": 8, "F6": 6, "U1": 1, "F8_E3M4": 8, "F8_E4M3B11FNUZ": 8, "TF32": 32,
    "Bool": 8, "STR": 8, "C16": 16, "I1": 1, "U2": 2, "F4_E2M1FN_X2": 8, "F4_X2": 8,
}
for dtype, bits in WIDTHS.items():
    size = 8 * bits // 8
    case(f"dtype {dtype}, 8 values", header(t(f'"{dtype}"', "[8]", f"[0,{size}]")), size)
    for n in (1, 2, 3, 4, 5, 0):
        size = (n * bits + 7) // 8
        case(f"dtype {dtype}, {n} values in {size} bytes", header(t(f'"{dtype}"', f"[{n}]", f"[0,{size}]")), size)
    case(f"dtype {dtype}, 2 x 3", header(t(f'"{dtype}"', "[2,3]", f"[0,{(6 * bits + 7) // 8}]")), (6 * bits + 7) // 8)
for name, value in [
    ("null", "null"), ("0", "0"), ("12", "12"), ("a list", '["F32"]'), ("an object of null", '{"F32":null}'), ("an object", '{"F32":{}}'),
    ("an object of a list", '{"F32":[]}'), ("an empty object", "{}"), ("an object of two", '{"F32":null,"I32":null}'),
    ("an object of 1", '{"F32":1}'), ("escaped", '"F\\u0033\\u0032"'), ("with a space", '"F32 "'), ("true", "true"),
    ("an object of an unknown", '{"X":null}'), ("an object of true", '{"F32":true}'),
]:
    case(f"a dtype that is {name}", header(t(value)))
# numbers
NUMBERS = [
    "16.0", "16.5", "1.6e1", "1.6E1", "16e0", "160e-1", "+16", "016", "-16", "0x10", '"16"', "null", "true", "[16]", "16n", "1_6", "-0", "-0.0", "0.0",
    "18446744073709551615", "18446744073709551616", "9223372036854775808", "9007199254740993", "4294967296", "1e400", "99999999999999999999999",
]
for n in NUMBERS:
    case(f"{n} as the end", header(t(offsets=f"[0,{n}]")))
    case(f"{n} as the begin", header(t(offsets=f"[{n},16]")))
    case(f"{n} as begin and end of no values", header(t(shape="[0]", offsets=f"[{n},{n}]")), 0)
    case(f"{n} as a dimension", header(t('"U8"', shape=f"[{n}]")))
    case(f"{n} and 0 as dimensions", header(t('"U8"', shape=f"[{n},0]", offsets="[0,0]")), 0)
    case(f"0 and {n} as dimensions", header(t('"U8"', shape=f"[0,{n}]", offsets="[0,0]")), 0)
# shape
for name, shape, offsets, data in [
    ("a scalar", "[]", "[0,4]", 4), ("a scalar without bytes", "[]", "[0,0]", 0), ("zero", "[0]", "[0,0]", 0), ("zero with bytes", "[0]", "[0,4]", 4),
    ("2 x 0", "[2,0]", "[0,0]", 0), ("4 x 1 x 1", "[4,1,1]", "[0,16]", 16), ("many ones", "[" + "1," * 200 + "4]", "[0,16]", 16), ("too small", "[3]", "[0,16]", 16),
    ("too large", "[5]", "[0,16]", 16), ("2^32 x 2^32", "[4294967296,4294967296]", "[0,0]", 0), ("2^62", "[4611686018427387904]", "[0,0]", 0),
    ("2^64 / 4 + 4", "[4611686018427387908]", "[0,16]", 16), ("2^32 x 2^32 x 0", "[4294967296,4294967296,0]", "[0,0]", 0),
    ("0 x 2^32 x 2^32", "[0,4294967296,4294967296]", "[0,0]", 0), ("2^61 x 0", "[2305843009213693952,0]", "[0,0]", 0),
    ("a number", "4", "[0,16]", 16), ("a string", '"4"', "[0,16]", 16), ("null", "null", "[0,16]", 16), ("an object", '{"0":4}', "[0,16]", 16),
    ("nested", "[[4]]", "[0,16]", 16), ("with null", "[4,null]", "[0,16]", 16),
]:
    case(f"shape: {name}", header(t(shape=shape, offsets=offsets)), data)
    case(f"shape of bytes: {name}", header(t('"U8"', shape=shape, offsets=offsets)), data)
    case(f"shape of half bytes: {name}", header(t('"F4"', shape=shape, offsets=offsets)), data)
# offsets
for name, offsets in [
    ("one", "[0]"), ("three", "[0,16,16]"), ("none", "[]"), ("turned round", "[16,0]"), ("a string", '"0,16"'), ("an object", '{"0":0,"1":16}'), ("null", "null"),
    ("from 1", "[1,17]"), ("from 4", "[4,20]"), ("far away", "[1000,1016]"), ("a number", "16"),
]:
    for data in (16, 17, 20):
        case(f"offsets: {name}, {data} bytes", header(t(offsets=offsets)), data)
A = lambda a, b, name="t", n=4: t(offsets=f"[{a},{b}]", name=name, shape=f"[{n}]")  # noqa: E731
case("two tensors", header(A(0, 16), A(16, 32, "u")), 32)
case("two tensors, the second first", header(A(16, 32), A(0, 16, "u")), 32)
case("a gap between two", header(A(0, 16), A(20, 36, "u")), 36)
case("a gap of one byte", header(A(0, 16), A(17, 33, "u")), 33)
case("a gap in front", header(A(4, 20)), 20)
case("a gap filled by a tensor without values", header(A(0, 16), A(16, 16, "z", 0), A(16, 32, "u")), 32)
case("a tensor without values in the middle of another", header(A(0, 16), A(8, 8, "z", 0)), 16)
case("a tensor without values at the end", header(A(0, 16), A(16, 16, "z", 0)), 16)
case("a tensor without values past the end", header(A(0, 16), A(20, 20, "z", 0)), 16)
case("a tensor without values past the end, and bytes to there", header(A(0, 16), A(20, 20, "z", 0)), 20)
case("a tensor without values at the start", header(A(0, 16), A(0, 0, "z", 0)), 16)
case("two tensors without values", header(A(0, 0, "y", 0), A(0, 0, "z", 0)), 0)
case("the same bytes twice", header(A(0, 16), A(0, 16, "u")), 16)
case("the same bytes twice, and as many more", header(A(0, 16), A(0, 16, "u")), 32)
case("an overlap", header(A(0, 16), A(8, 24, "u")), 24)
case("one within the other", header(A(0, 16), A(4, 8, "u", 1)), 16)
case("an unaligned f32", header(t('"U8"', "[1]", "[0,1]", name="b"), A(1, 17)), 17)
case("three out of order", header(A(32, 48, "c"), A(0, 16, "a"), A(16, 32, "b")), 48)
case("half bytes that share a byte", header(t('"F4"', "[3]", "[0,2]")), 2)
case("half bytes, then another", header(t('"F4"', "[2]", "[0,1]", name="a"), t('"F4"', "[2]", "[1,2]", name="b")), 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    lines, accepted = [], 0
    for name, head, data, more in CASES:
        if "raw" in more:
            raw, shown = more["raw"], {"raw": more["raw"].decode("latin-1")}
        else:
            try:
                body = head.encode() if isinstance(head, str) else head
                shown = {"header": body.decode()}
            except UnicodeDecodeError:
                shown = {"latin1": body.decode("latin-1")}
            shown["data"] = data
            raw = struct.pack("<Q", len(body)) + body + bytes(i % 256 for i in range(data))
        said = verdict(raw)
        accepted += said is not None
        lines.append(json.dumps({"name": name, **shown, "verdict": said}, separators=(",", ":")))
    out.write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} files, {accepted} accepted: {out}")


main()
