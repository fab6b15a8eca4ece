#include "normalise/not_json.h"

#include <string.h>

#define INTO " FILE | scrapetop normalise -"
#define LOOK_BYTES ((size_t)4096) /* of a text that may be a table */
#define NAME_MAX ((size_t)64)

struct form {
    struct str begin;
    const char *hint;
};

/* Bytes that a file of that kind begins with. */
static const struct form magics[] = {
    { STR_INIT("\x1F\x8B"), "it is compressed by gzip: gunzip -c" INTO },
    { STR_INIT("\x28\xB5\x2F\xFD"), "it is compressed by zstd: zstd -dc" INTO },
    { STR_INIT("BZh"), "it is compressed by bzip2: bunzip2 -c" INTO },
    { STR_INIT("\xFD"
               "7zXZ"),
      "it is compressed by xz: xz -dc" INTO },
    { STR_INIT("PK\x03\x04"),
      "it is a zip archive or a spreadsheet: for an archive, unzip -p" INTO },
    { STR_INIT("PAR1"), "it is Parquet, a table already" },
    { STR_INIT("SQLite format 3"),
      "it is an SQLite database: sqlite3 -json FILE 'SELECT ...' | scrapetop normalise -" },
    { STR_INIT("%PDF"), "it is a PDF: ask for the data it was made of" },
    { STR_INIT("\xFF\xFE"), "it is UTF-16: iconv -f UTF-16 -t UTF-8" INTO },
    { STR_INIT("\xFE\xFF"), "it is UTF-16: iconv -f UTF-16 -t UTF-8" INTO },
};

/* Likewise, of texts: after blanks, and in any case. */
static const struct form texts[] = {
    { STR_INIT("<?xml"), "it is XML: --as xml reads it" },
    { STR_INIT("<!doctype"),
      "it is HTML, a page for browsers: ask for the URL of the API behind it" },
    { STR_INIT("<html"), "it is HTML, a page for browsers: ask for the URL of the API behind it" },
    { STR_INIT("<"), "it is HTML or XML: --as xml reads XML" },
    { STR_INIT(")]}'"),
      "a line stands before the JSON, so that no page can embed it: tail -n +2" INTO },
    { STR_INIT("//"), "JSON has no comments: take them out" },
    { STR_INIT("/*"), "JSON has no comments: take them out" },
};

static bool begins_so(struct str text, struct str begin)
{
    return text.len >= begin.len && str_equal_nocase((struct str){ text.data, begin.len }, begin);
}

/* UTF-16 without its mark: every other byte of what should be ASCII is NUL. */
static const char *wide_hint(struct str text)
{
    unsigned nuls = 0;

    for (size_t i = 0; i < 4 && i < text.len; i++) {
        nuls = nuls << 1 | !text.data[i];
    }
    return text.len < 4  ? NULL
           : nuls == 0x5 ? "it is UTF-16: iconv -f UTF-16LE -t UTF-8" INTO
           : nuls == 0xA ? "it is UTF-16: iconv -f UTF-16BE -t UTF-8" INTO
                         : NULL;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '.';
}

/* callback({...}); */
static bool is_call(struct str text)
{
    size_t len = 0;

    while (len < text.len && len < NAME_MAX && is_name(text.data[len])) {
        len++;
    }
    text = str_trim((struct str){ text.data + len, text.len - len });
    if (!len || text.len < 2 || text.data[0] != '(') {
        return false;
    }
    text = str_trim((struct str){ text.data + 1, text.len - 1 });
    return text.len && memchr("{[\"", text.data[0], 3);
}

static size_t count_char(struct str text, char c)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += text.data[i] == c;
    }
    return count;
}

/* Two lines with as many cells, more than one each. */
static bool is_table(struct str text)
{
    static const char separators[] = ",;\t|";
    struct str rest = { text.data, text.len < LOOK_BYTES ? text.len : LOOK_BYTES };
    struct str first = str_cut(&rest, '\n'), second = str_cut(&rest, '\n');

    for (size_t i = 0; i < sizeof separators - 1; i++) {
        size_t cells = count_char(first, separators[i]);

        if (cells && cells == count_char(second, separators[i])) {
            return true;
        }
    }
    return false;
}

/* What follows a first value that is whole. */
static const char *extra_hint(struct str text, size_t at)
{
    struct str rest = str_trim((struct str){ text.data + at, text.len - at });
    bool holds = json_type_of(text) >= JSON_ARRAY;

    if (!rest.len) {
        return NULL;
    }
    if (!rest.data[0]) {
        return "NULs come after the JSON: tr -d '\\0' < FILE | scrapetop normalise -";
    }
    if (!holds && is_table(text)) {
        return "it looks like CSV: --as csv reads it, with --no-header if it has none";
    }
    if (holds && rest.data[0] == ',') {
        return "commas stand between several JSON texts: put a [ before them and a ] after them";
    }
    return memchr("{[\"-0123456789tfn", rest.data[0], 17)
               ? "it holds several JSON texts, one after the other: jq -c ." INTO
               : NULL;
}

/* Of what the grammar does not allow within a value. */
static const char *syntax_hint(struct str text, size_t at)
{
    struct str rest = { text.data + at, text.len - at };
    size_t before = at;

    while (before && strchr(" \t\r\n", text.data[before - 1])) {
        before--;
    }
    if (!rest.len) {
        return NULL;
    }
    if (rest.data[0] == '\'' || str_starts(rest, STR("None")) || str_starts(rest, STR("True")) ||
        str_starts(rest, STR("False"))) {
        return "it looks printed by Python: write it with json.dumps";
    }
    if ((rest.data[0] == ']' || rest.data[0] == '}') && before && text.data[before - 1] == ',') {
        return "JSON has no comma before the end of an array or object: take it out";
    }
    if (str_starts(rest, STR("//")) || str_starts(rest, STR("/*"))) {
        return "JSON has no comments: take them out";
    }
    return rest.data[0] ? NULL : "it has NULs, and may be UTF-16 or no text at all";
}

/* The first byte can begin no JSON. */
static const char *text_hint(struct str text)
{
    struct str head = str_trim(text);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (begins_so(head, texts[i].begin)) {
            return texts[i].hint;
        }
    }
    return is_call(head) ? "it is a call with the JSON in brackets (JSONP): take the call away"
           : is_table(head)
               ? "it looks like CSV: --as csv reads it, with --no-header if it has none"
               : NULL;
}

const char *not_json_hint(struct str text, bool is_line, const struct json_error *error)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (str_starts(text, magics[i].begin)) {
            return magics[i].hint;
        }
    }
    if (wide_hint(text)) {
        return wide_hint(text);
    }
    switch (error->fault) {
    case JSON_FAULT_EMPTY:
        return "there is nothing in it";
    case JSON_FAULT_ENDS_EARLY:
        return is_line ? "it is cut off, or goes on in the next line: then jq -c ." INTO
                       : "it is cut off: get it again";
    case JSON_FAULT_EXTRA:
        return extra_hint(text, error->at);
    case JSON_FAULT_UTF8:
        return "it is not UTF-8: iconv -f WINDOWS-1252 -t UTF-8" INTO;
    case JSON_FAULT_NOT_JSON:
        return text_hint(text);
    case JSON_FAULT_SYNTAX:
        return syntax_hint(text, error->at);
    default:
        return NULL;
    }
}
