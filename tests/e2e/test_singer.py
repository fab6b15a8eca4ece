"""`normalise --format singer`: messages as the Singer specification has them, and values that keep to their schema."""

import datetime
import gzip
import json
import os
import re

import jsonschema

import harness
from harness import check, check_equal, scratch
from peer import Peer, reply

FORMATS = {
    "date-time": lambda text: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    and datetime.datetime.fromisoformat(text.replace("Z", "+00:00")),
    "date": lambda text: re.fullmatch(r"\d{4}-\d\d-\d\d", text) and datetime.date.fromisoformat(text),
}
KINDS = {"null": type(None), "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def is_a(value, kind):
    return isinstance(value, KINDS[kind]) and (kind in ("boolean", "null") or not isinstance(value, bool))


def check_value(value, schema, where):
    check(any(is_a(value, kind) for kind in schema["type"]), where, value, schema)
    if isinstance(value, str) and "format" in schema:
        check(FORMATS[schema["format"]](value), where, value, schema)


def read(text, stream):
    """The schema and the records, once every rule holds."""
    lines = [json.loads(line) for line in text.decode().split("\n")[:-1]]
    check_equal([line["type"] for line in lines], ["SCHEMA", *["RECORD"] * (len(lines) - 2), "STATE"], "messages")
    head, records, state = lines[0], lines[1:-1], lines[-1]
    check_equal(set(head), {"type", "stream", "schema", "key_properties"}, "members of SCHEMA")
    check_equal(head["schema"]["type"], "object", "type of a record")
    jsonschema.Draft4Validator.check_schema(head["schema"])
    validator = jsonschema.Draft4Validator(head["schema"])
    properties = head["schema"]["properties"]
    check(all(key in properties and "null" not in properties[key]["type"] for key in head["key_properties"]), "the key", head)
    check_equal({line["stream"] for line in (head, *records)}, {stream}, "the stream")
    for line in records:
        check_equal(set(line), {"type", "stream", "record"}, "members of RECORD")
        check_equal(set(line["record"]), set(properties), "columns of a record")
        validator.validate(line["record"])
        for name, value in line["record"].items():
            check_value(value, properties[name], name)
    check_equal(state, {"type": "STATE", "value": {"bookmarks": {stream: {}}}}, "the state")
    return properties, [line["record"] for line in records]


def made(records, *words, code=0):
    return harness.succeed("normalise", "--format", "singer", *words, "-o", "-", "-", stdin=json.dumps(records).encode(), code=code)


ODD = ['"', "\\", "\n\r\t", "\0", "\u2028", "é", "😀", "", "null", "{\"type\":\"STATE\"}", "</script>", "\x7f"]


def test_singer__has_every_value__by_its_schema():
    records = [{"id": n, "text": text, "odd " + "name\"\\": text, "n": 9007199254740993 + n, "f": 0.1 * n, "b": n % 2 == 0,
                "at": f"2026-01-{n + 1:02}T10:00:00.5+02:00", "local": f"2026-01-{n + 1:02}T10:00:00", "day": f"2026-01-{n + 1:02}",
                "list": [n, {"x": text}], "mixed": [n, text, True][n % 3], "some": n if n > 3 else None, "in": {"a": {"b": n}}}
               for n, text in enumerate(ODD)]
    properties, rows = read(made(records, "--table", "my \"items\"", "--key", "id").out, 'my "items"')
    check_equal({name: (tuple(p["type"]), p.get("format")) for name, p in properties.items()}, {
        "id": (("integer",), None), "text": (("null", "string"), None), "odd name\"\\": (("null", "string"), None),
        "n": (("null", "integer"), None), "f": (("null", "number"), None), "b": (("null", "boolean"), None),
        "at": (("null", "string"), "date-time"), "local": (("null", "string"), None), "day": (("null", "string"), "date"),
        "list": (("null", "string"), None), "mixed": (("null", "string"), None), "some": (("null", "integer"), None),
        "in.a.b": (("null", "integer"), None)}, "the schema")
    for record, row in zip(records, rows):
        for name in ("id", "text", "odd name\"\\", "n", "f", "b", "local", "day", "some"):
            got = row[name][:19] if name == "local" else row[name]
            check_equal(got, record[name], name)
        check_equal(datetime.datetime.fromisoformat(row["at"].replace("Z", "+00:00")), datetime.datetime.fromisoformat(record["at"]
                    .replace(".5", ".500")), "a moment")
        check_equal(json.loads(row["list"]), record["list"], "an array")
        check_equal(row["in.a.b"], record["in"]["a"]["b"], "a nested value")


def test_singer__of_a_run__packed__with_a_row_for_each_record():
    peer = Peer(lambda ask: reply([{"id": int(ask.path[1:]) * 10 + n} for n in range(3)]))
    harness.succeed("run", "--plain", "-o", scratch("a.run"), f"{peer.url}/[1-200]")
    harness.succeed("normalise", "-o", scratch("t.singer.gz"), "--table", "things", "--key", "id", scratch("a.run"))
    rows = read(gzip.decompress(harness.read(scratch("t.singer.gz"))), "things")[1]
    check_equal([row["id"] for row in rows], [at * 10 + n for at in range(1, 201) for n in range(3)], "rows")
    check_equal(read(made([]).out, "items"), ({}, []), "of nothing")


def test_singer__refuses__a_key_that_tells_no_row():
    for records, words, why in (([{"id": 1}, {"id": None}], ["--key", "id"], b"a row has no value there"),
                                ([{"id": 1}], ["--key", "no"], b"the table has no such column")):
        refused = harness.run("normalise", "--format", "singer", *words, "-o", scratch("x.singer"), "-",
                              stdin=json.dumps(records).encode())
        check(refused.code not in (0, None) and why in refused.err, refused)
        check(not os.path.exists(scratch("x.singer")), "a file of what was refused")


if __name__ == "__main__":
    harness.main(globals())
