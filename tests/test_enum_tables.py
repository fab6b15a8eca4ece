#!/usr/bin/env python3
"""Refuses arrays that an enum indexes and that are filled by position: a constant that comes or goes would move all after it
to the wrong place, and no compiler says so. They want designators, [NAME] = value.

Usage: test_enum_tables.py ROOT | --self-test

An enum indexes an array when its size is a constant of an enum, or when its file has array[NAME] with such a constant, or
array[x] or array[p->x] with an x that is declared as an enum and as nothing else: a variable in that function, a member in
that file and the headers. What this cannot tell, passes."""
import pathlib
import re
import sys
import tempfile

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
ENUM = re.compile(r"\benum(?:\s+\w+)?\s*\{([^{}]*)\}")
ARRAY = re.compile(r"\b(\w+)\[(\w*)\](?:\[\w*\])*\s*=\s*\{(?!\s*(?:0\s*)?\})")
DECLARED = re.compile(r"\b(enum\s+)?(\w+)(?:\s+(?:const\s+)?|\s*\*+\s*(?:const\s+)?)(\w+)(?=\s*[;,)=\[:])")
ONE_MORE = re.compile(r",\s*\**(\w+)\s*(?=[;,\[=])")  # the b of "int a, b;": of what type, nobody knows here
STRUCT = re.compile(r"\b(?:struct|union)(?:\s+\w+)?\s*\{")
NO_TYPE = {"return", "case", "goto", "else", "sizeof", "define", "enum", "struct", "union", "const"}


def closed_at(text, begin, pair):
    """Where the bracket closes that was opened before `begin`."""
    depth, at = 1, begin
    while depth and at < len(text):
        depth += {pair[0]: 1, pair[1]: -1}.get(text[at], 0)
        at += 1
    return at - 1


def constants_of(text):
    elements = (e for body in ENUM.findall(text) for e in re.sub(r"\([^()]*\)", "", body).split(","))
    return {word[1] for e in elements if (word := re.match(r"\s*([A-Z][A-Z0-9_]+)\b", e))}


def declared_in(texts):
    """The names that these declare as enums, and those they declare, or may declare, as anything else."""
    enums, others = set(), set()
    for text in texts:
        for enum, kind, name in DECLARED.findall(text):
            if kind not in NO_TYPE:
                (enums if enum else others).add(name)
        others.update(ONE_MORE.findall(text))
    return enums, others


def members_of(text):
    return declared_in(text[s.end():closed_at(text, s.end(), "{}")] for s in STRUCT.finditer(text))


def is_designated(text, begin):
    """Whether the initialiser begins with [NAME] =, or with a macro of this file that does."""
    rest = text[begin:begin + 400].lstrip()
    words = set(re.findall(r"\w+", rest[:rest.find("}")]))
    return rest.startswith(("[", "#")) or any(
        re.search(rf"#define\s+{word}\b[^\n]*?(?:\\\s*)?\[\w+(?:##\w+)?\]\s*=", text) for word in words)


def indices_of(text, name):
    """(index, the function it stands in) for each name[index]."""
    for use in re.finditer(rf"(?<![\w.>]){name}\[", text):
        end = closed_at(text, use.end(), "[]")
        function = text[text.rfind("\n}", 0, use.start()) + 1:text.find("\n}", end)]
        yield text[use.end():end].strip(), function


def is_enum(index, function, constants, members):
    if not (word := re.fullmatch(r"(?:\([^()]*\)|[\w.\[\]>-])*?((?:->|\.)?)(\w+)", index)):
        return False
    enums, others = members if word[1] else declared_in([function])
    return word[2] in constants or (word[2] in enums - others and (word[1] or index == word[2]))


def faults_of(text, constants, members):
    """The faults of one file without comments."""
    for array in ARRAY.finditer(text):
        if not is_designated(text, array.end()) and (array[2] in constants or any(
                is_enum(index, function, constants, members) for index, function in indices_of(text, array[1]))):
            line = text.count("\n", 0, array.start()) + 1
            yield f"{line}: an enum indexes {array[1]}[], which wants [NAME] = before each element"


def check(root):
    code = {path: COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), path.read_text(encoding="utf-8"))
            for folder in ("src", "ui", "tests") for path in sorted((root / folder).rglob("*.[ch]"))}
    headers = [text for path, text in code.items() if path.suffix == ".h"]
    constants = set().union(*map(constants_of, headers))
    shared = [set().union(*names) for names in zip(*map(members_of, headers))] or [set(), set()]
    faults = [f"{path.relative_to(root)}:{fault}" for path, text in code.items()
              for fault in faults_of(text, constants | constants_of(text),
                                     tuple(a | b for a, b in zip(shared, members_of(text))))]
    return faults, len(code)


def self_test():
    head = "enum hue { HUE_RED, HUE_BLUE = (1), HUE_COUNT };\nstruct rag { enum hue hue; int size; };\n"
    cases = [
        ('const char *a[] = { "r", "b" };\nvoid f(enum hue x)\n{\n    g(a[x]);\n}\n', 1),
        ('void f(struct rag *r)\n{\n    const char *a[] = { "r", "b" };\n\n    g(a[r->hue]);\n}\n', 1),
        ('const char *a[] = { "r", "b" };\nvoid f(void)\n{\n    g(a[rags[1].hue]);\n}\n', 1),
        ('const char *a[] = { "r", "b" };\nvoid f(void)\n{\n    g(a[HUE_RED]);\n}\n', 1),
        ('const char *a[HUE_COUNT] = {\n    "r", "b" };\n', 1),
        ('const char *a[HUE_COUNT] = { [HUE_RED] = "r", [HUE_BLUE] = "b" };\n', 0),
        ('const int a[HUE_COUNT] = { 0 };\n', 0),
        ('#define ROW(NAME) [HUE_##NAME] = #NAME,\nconst char *a[HUE_COUNT] = { ROW(RED) };\n', 0),
        ('const char *a[] = { "r", "b" };\nvoid f(int x)\n{\n    g(a[x]);\n}\nvoid h(enum hue x);\n', 0),
        ('const char *a[] = { "r", "b" };\nvoid f(struct rag *r)\n{\n    g(a[r->size]);\n}\n', 0),
        ('struct b { int hue; };\nconst char *a[] = { "r" };\nvoid f(struct b *r)\n{\n    g(a[r->hue]);\n}\n', 0),
        ('const char *a[] = { "r", "b" };\nvoid f(enum hue x)\n{\n    g(a[x + 1]);\n}\n', 0),
    ]
    for text, want in cases:
        with tempfile.TemporaryDirectory() as root:
            for name, content in (("src/x.h", head), ("src/x.c", text), ("ui/y.c", ""), ("tests/z.c", "")):
                path = pathlib.Path(root, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(content, encoding="utf-8")
            got, _ = check(pathlib.Path(root))
            assert len(got) == want, (text, got)
    print(f"{len(cases)} cases, as they should")


if __name__ == "__main__":
    if sys.argv[1] == "--self-test":
        self_test()
    else:
        found, count = check(pathlib.Path(sys.argv[1]))
        print("\n".join(found) or f"{count} files, no enum indexes what is filled by position")
        sys.exit(bool(found))
