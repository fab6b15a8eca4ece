#include "read/body_read.h"

#include "base/json_scan.h"
#include "base/utf8.h"
#include "read/unpack.h"
#include "read/xml_json.h"

#include <stdio.h>
#include <string.h>

struct reader {
    const struct body_reading *how;
    struct str content_type;
    struct body_found *found;
};

static enum result refuse(struct reader *r, enum result result, const char *why)
{
    snprintf(r->found->why, BODY_WHY_MAX, "%s", why);
    return result;
}

/* --- what stands around the JSON -------------------------------------------------------------------------- */

static bool is_of_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_$.[]\"'", c));
}

#define GUARD_MAX 256

/* "typeof cb === 'function' && cb(...)": what Express and others write before the call is passed over. */
static struct str without_guard(struct str text)
{
    const char *both = str_starts(text, STR("typeof "))
                           ? memmem(text.data, text.len < GUARD_MAX ? text.len : GUARD_MAX, "&&", 2)
                           : NULL;

    return both ? str_trim((struct str){ both + 2, text.len - (size_t)(both + 2 - text.data) })
                : text;
}

/* `text` without the call around it; false when there is none. */
static bool strip_call(struct str *text)
{
    struct str rest = str_trim(*text);
    size_t at = 0;

    if (str_starts(rest, STR("/**/"))) {
        rest = str_trim((struct str){ rest.data + 4, rest.len - 4 });
    }
    rest = without_guard(rest);
    while (at < rest.len && is_of_name(rest.data[at])) {
        at++;
    }
    while (at && at < rest.len && (rest.data[at] == ' ' || rest.data[at] == '\t')) {
        at++;
    }
    if (!at || at == rest.len || rest.data[at] != '(') {
        return false;
    }
    rest = (struct str){ rest.data + at + 1, rest.len - at - 1 };
    if (rest.len && rest.data[rest.len - 1] == ';') {
        rest = str_trim((struct str){ rest.data, rest.len - 1 });
    }
    if (!rest.len || rest.data[rest.len - 1] != ')') {
        return false;
    }
    *text = (struct str){ rest.data, rest.len - 1 };
    return true;
}

static void strip(struct reader *r, struct str *text)
{
    const char *what = r->how->strip;
    struct str head = str_trim(*text), prefix = str_view(what);
    bool is_stripped;

    if (!what) {
        return;
    }
    if (strcmp(what, BODY_STRIP_JSONP) == 0) {
        is_stripped = strip_call(text);
    } else {
        is_stripped = str_starts(head, prefix);
        if (is_stripped) {
            *text = (struct str){ head.data + prefix.len, head.len - prefix.len };
        }
    }
    r->found->was |= is_stripped ? BODY_WAS_STRIPPED : 0;
}

#define STRIP_TRIES 3 /* each may read all of the body */

/* Bytes that can stand in a job file as they are. */
static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~' || strchr("\"\\<", text.data[i])) {
            return false;
        }
    }
    return text.len > 0;
}

bool body_strip_that_helps(struct str body, char strip[BODY_STRIP_MAX])
{
    struct str text = str_trim(body), inside = text;
    unsigned tries = 0;

    if (strip_call(&inside) && json_check(inside, JSON_DEPTH_MAX, NULL)) {
        snprintf(strip, BODY_STRIP_MAX, "%s", BODY_STRIP_JSONP);
        return true;
    }
    for (size_t i = 1; i < text.len && i < BODY_STRIP_MAX && tries < STRIP_TRIES; i++) {
        struct str before = str_trim((struct str){ text.data, i });

        if (text.data[i] != '{' && text.data[i] != '[') {
            continue;
        }
        tries++;
        if (is_plain(before) &&
            json_check((struct str){ text.data + i, text.len - i }, JSON_DEPTH_MAX, NULL)) {
            snprintf(strip, BODY_STRIP_MAX, "%.*s", STR_ARG(before));
            return true;
        }
    }
    return false;
}

/* --- one format ----------------------------------------------------------------------------------------------- */

static enum result read_json(struct reader *r, struct str text, bool is_lines, struct buf *out)
{
    unsigned was = 0;
    enum result result = RESULT_INVALID;

    if (!is_lines && json_check(text, JSON_DEPTH_MAX, NULL)) {
        return buf_append_str(out, text);
    }
    if (text.len) {
        result = body_text_read(text, is_lines ? STR("application/x-ndjson") : r->content_type, out,
                                &was);
    }
    if (result == RESULT_OK && r->how->is_strict && was & (BODY_WAS_NAN | BODY_WAS_LOOSE)) {
        return refuse(r, RESULT_INVALID,
                      was & BODY_WAS_NAN
                          ? "has NaN, Infinity or undefined, which is no JSON"
                          : "has a control character, an escape or a comma that JSON has not");
    }
    r->found->was |= result == RESULT_OK ? was : 0;
    if (result != RESULT_OK) {
        buf_reset(out);
    }
    return result;
}

static uint64_t line_of(struct str text, size_t at)
{
    uint64_t line = 1;

    for (size_t i = 0; i < at; i++) {
        line += text.data[i] == '\n';
    }
    return line;
}

static enum result check_utf8(struct reader *r, struct str text)
{
    size_t good = utf8_valid_prefix(text);

    if (good < text.len) {
        snprintf(r->found->why, BODY_WHY_MAX,
                 "is not UTF-8 in line %llu: say which \"charset\" it has",
                 (unsigned long long)line_of(text, good));
        return RESULT_DENIED;
    }
    return RESULT_OK;
}

static enum result read_csv(struct reader *r, struct str text, char delimiter, bool no_header,
                            struct buf *out)
{
    struct csv_dialect dialect = { r->how->delimiter ? r->how->delimiter : delimiter,
                                   r->how->no_header || no_header };
    struct csv_odd *odd = &r->found->odd;
    uint64_t line = 0;
    enum result result = check_utf8(r, text);

    if (result != RESULT_OK) {
        return result;
    }
    result = csv_append_array(text, &dialect, out, odd, &line);
    if (result == RESULT_INVALID) {
        snprintf(r->found->why, BODY_WHY_MAX,
                 "has a quoted cell in the row of line %llu that nothing closes: it is cut off, or "
                 "no CSV",
                 (unsigned long long)line);
    } else if (result == RESULT_LIMIT) {
        return refuse(r, result, "is a table too large, or of more than 65,536 columns");
    }
    r->found->was |= BODY_WAS_CSV;
    r->found->was |= odd->long_rows || odd->short_rows ? BODY_WAS_RAGGED : 0;
    return result;
}

static enum result read_xml(struct reader *r, struct str text, bool is_utf8, struct buf *out)
{
    char why[XML_WHY_MAX];
    enum result result = xml_append_json(text, is_utf8, out, why);

    if (result != RESULT_OK) {
        return refuse(r, result, why);
    }
    r->found->was |= BODY_WAS_XML;
    return RESULT_OK;
}

/* --- which of them ------------------------------------------------------------------------------------------------ */

/* The root element's name, as far as it can be told without reading the document. */
static struct str root_of(struct str text)
{
    const char *p = text.data, *end = p + text.len;

    while (p < end && (p = memchr(p, '<', (size_t)(end - p)))) {
        const char *name = ++p;

        if (p < end && *p != '?' && *p != '!') {
            while (p < end && !strchr(" \t\r\n/>", *p)) {
                p++;
            }
            return (struct str){ name, (size_t)(p - name) };
        }
    }
    return STR("");
}

static bool is_error_or_page(struct str root)
{
    static const struct str names[] = {
        STR_INIT("html"),          STR_INIT("error"),     STR_INIT("errors"),     STR_INIT("fault"),
        STR_INIT("errorresponse"), STR_INIT("exception"), STR_INIT("soap:fault"),
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(root, names[i])) {
            return true;
        }
    }
    return false;
}

/* The first row is such as names are: none is empty, none a number, and none stands there twice. */
static bool is_header(struct str text, char delimiter)
{
    struct csv_reader reader = { text.data, text.data + text.len, delimiter, 1 };
    struct csv_row row = { 0 };
    bool more, is_good = csv_next(&reader, &row, &more) == RESULT_OK && more && row.count > 1;

    for (size_t i = 0; is_good && i < row.count; i++) {
        struct str name = str_trim(row.cells[i].text);

        is_good = name.len && name.len <= 100 && !strchr("{[<0123456789-+.", name.data[0]);
        for (size_t k = 0; is_good && k < i && row.count <= 1000; k++) {
            is_good = !str_equal(name, str_trim(row.cells[k].text));
        }
    }
    csv_row_release(&row);
    return is_good;
}

bool body_head_is_csv(struct str head, bool is_cut, char *delimiter)
{
    struct str text = str_trim(head);
    size_t rows, cells;

    if (!text.len || strchr("{[<\"", text.data[0]) || utf8_valid_prefix(head) + 3 < head.len) {
        return false;
    }
    *delimiter = csv_take_separator_line(&head);
    if (*delimiter) {
        return true;
    }
    *delimiter = csv_sniff(head, is_cut, &rows, &cells);
    return rows >= 2 && cells >= 2 && is_header(head, *delimiter);
}

static bool looks_like_csv(struct reader *r, struct str text, char *delimiter)
{
    struct str type = r->content_type;

    type = str_trim(str_cut(&type, ';'));
    if (type.len && !str_equal_nocase(type, STR("text/plain")) &&
        !str_equal_nocase(type, STR("application/octet-stream")) &&
        !str_equal_nocase(type, STR("binary/octet-stream")) &&
        !str_equal_nocase(type, STR("application/vnd.ms-excel"))) {
        return false;
    }
    return body_head_is_csv(text, false, delimiter);
}

/* Of two bytes a letter, with a mark or without (XML 1.0, appendix F). */
static bool is_wide_xml(struct str text)
{
    static const struct str begins[] = {
        { "\xff\xfe<\0", 4 }, { "\xfe\xff\0<", 4 }, { "<\0", 2 }, { "\0<", 2 }
    };

    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        if (str_starts(text, begins[i])) {
            return true;
        }
    }
    return false;
}

static enum result read_auto(struct reader *r, struct str text, bool is_utf8, struct buf *out)
{
    struct str head = str_trim(text);
    bool no_header;
    enum body_format format = body_format_of_type(r->content_type, &no_header);
    enum result result;
    char delimiter;

    if (format == BODY_CSV || format == BODY_TSV) {
        return read_csv(r, text, format == BODY_TSV ? '\t' : 0, no_header, out);
    }
    if (format == BODY_XML && !is_utf8 && is_wide_xml(text)) {
        return read_xml(r, text, is_utf8, out);
    }
    if (format == BODY_XML || str_starts(head, STR("<?xml"))) {
        head = str_trim(json_without_bom(head));
        return str_starts(head, STR("<")) && !is_error_or_page(root_of(head))
                   ? read_xml(r, text, is_utf8, out)
                   : RESULT_INVALID;
    }
    result = read_json(r, text, false, out);
    if (result == RESULT_INVALID && !r->found->why[0] && looks_like_csv(r, text, &delimiter)) {
        result = read_csv(r, text, delimiter, false, out);
    }
    return result;
}

static enum result read_text(struct reader *r, struct str text, bool is_utf8,
                             enum body_format format, struct buf *out)
{
    switch (format) {
    case BODY_JSON:
        return read_json(r, text, false, out);
    case BODY_NDJSON:
        return read_json(r, text, true, out);
    case BODY_CSV:
        return read_csv(r, text, 0, false, out);
    case BODY_TSV:
        return read_csv(r, text, '\t', false, out);
    case BODY_XML:
        return read_xml(r, text, is_utf8, out);
    default:
        return read_auto(r, text, is_utf8, out);
    }
}

/* UTF-8's or UTF-16's. */
static bool begins_with_mark(struct str body)
{
    return str_starts(body, STR("\xEF\xBB\xBF")) || str_starts(body, STR("\xFE\xFF")) ||
           str_starts(body, STR("\xFF\xFE"));
}

/* XML says its letters itself, unless the content type or a mark does. */
static bool names_own_letters(struct reader *r, struct str body, enum body_format format)
{
    bool no_header;

    if (format == BODY_AUTO) {
        format = body_format_of_type(r->content_type, &no_header);
    }
    return !r->how->charset && !body_charset_is_named(r->content_type) && !begins_with_mark(body) &&
           (format == BODY_XML || str_starts(str_trim(body), STR("<?xml")));
}

static enum result read_letters(struct reader *r, struct str body, enum body_format format,
                                struct buf *out)
{
    struct buf letters = { .max = out->max };
    struct str text;
    enum result result;

    if (!body.len) {
        return RESULT_INVALID;
    }
    if (names_own_letters(r, body, format)) {
        return read_text(r, body, false, format, out);
    }
    result = body_text_letters(body, r->content_type, str_view(r->how->charset), &letters, &text,
                               &r->found->was);
    if (result == RESULT_OK && text.len) {
        strip(r, &text);
        result = read_text(r, text, true, format, out);
    } else if (result == RESULT_OK) {
        result = RESULT_INVALID;
    }
    buf_release(&letters);
    return result;
}

/* --- packed ------------------------------------------------------------------------------------------------------- */

#define MEMBER_NAME_MAX 64

struct unpacking {
    struct reader *reader;
    struct buf member; /* bytes of the file that comes now */
    enum body_format format;
    struct buf *out;
    char name[MEMBER_NAME_MAX]; /* its, cut */
    uint64_t count;             /* files that have begun */
    bool has_more;              /* `out` is an array, and has an element */
};

/* What the file says goes to the others': the elements of an array, or itself as one. */
static enum result append_read(struct unpacking *u, struct str json)
{
    struct str text = str_trim(json);
    bool is_array = text.len && text.data[0] == '[';
    enum result result = RESULT_OK;

    if (is_array) {
        text = str_trim((struct str){ text.data + 1, text.len - 2 });
    }
    if (!text.len) {
        return RESULT_OK;
    }
    result = u->has_more ? buf_append_char(u->out, ',') : RESULT_OK;
    u->has_more = true;
    return result == RESULT_OK ? buf_append_str(u->out, text) : result;
}

/* The archive is whole, so that its file will be no other the next time. */
static enum result refuse_member(struct unpacking *u)
{
    char why[BODY_WHY_MAX];

    snprintf(why, sizeof why, "%s", u->reader->found->why);
    snprintf(u->reader->found->why, BODY_WHY_MAX, "holds %s, which %s (--as bytes keeps all of it)",
             u->name, why[0] ? why : "is no JSON, CSV or XML");
    return RESULT_DENIED;
}

static enum result end_member(struct unpacking *u)
{
    struct buf json = { .max = u->out->max };
    enum result result;

    if (!u->count) {
        return RESULT_OK;
    }
    result = read_letters(u->reader, buf_view(&u->member), u->format, &json);
    if (result == RESULT_INVALID) {
        result = refuse_member(u);
    }
    result = result == RESULT_OK ? append_read(u, buf_view(&json)) : result;
    buf_release(&json);
    return result;
}

static enum result begin_member(void *context, struct str name)
{
    struct unpacking *u = context;
    enum body_format told = u->reader->how->as;
    enum result result = end_member(u);

    if (u->count == 0) {
        result = buf_append_char(u->out, '[');
    }
    u->count++;
    snprintf(u->name, sizeof u->name, "%.*s", (int)(name.len < 60 ? name.len : 60), name.data);
    u->format = told == BODY_AUTO ? body_format_of_name(name) : told;
    buf_reset(&u->member);
    return result;
}

static enum result put_member(void *context, struct str bytes)
{
    struct unpacking *u = context;

    return buf_append_str(&u->member, bytes);
}

/* Of the package, and not of what is within. */
static bool is_of_package(struct str type)
{
    bool no_header;

    return body_format_of_type(type, &no_header) == BODY_AUTO &&
           (type.len < 5 || !str_equal_nocase((struct str){ type.data, 5 }, STR("text/"))) &&
           !memmem(type.data, type.len, "json", 4);
}

static enum result read_packed(struct reader *r, struct str body, enum pack pack,
                               uint64_t unpacked_max, struct buf *out)
{
    struct unpack_source source = { body, -1, 0 };
    struct unpacking u = { .reader = r, .out = out };
    struct unpack_sink sink = { begin_member, put_member, &u };
    char why[UNPACK_WHY_MAX];
    enum result result;

    r->content_type = is_of_package(r->content_type) ? STR("") : r->content_type;
    result = unpack_files(&source, pack, unpacked_max, &sink, why);

    if (result == RESULT_OK && u.count == 1) { /* it alone: what it is, it is */
        buf_reset(out);
        result = read_letters(r, buf_view(&u.member), u.format, out);
    } else if (result == RESULT_OK) {
        result = u.count ? end_member(&u) : buf_append_char(out, '[');
        result = result == RESULT_OK ? buf_append_char(out, ']') : result;
    }
    if (result != RESULT_OK && why[0]) {
        refuse(r, result, why);
        r->found->is_unpacking = true;
    }
    r->found->was |= BODY_WAS_PACKED;
    buf_release(&u.member);
    return result;
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

bool body_read_wants_json(struct str content_type, const struct body_reading *how)
{
    bool no_header;

    return how->as == BODY_JSON ||
           (how->as == BODY_AUTO && body_format_of_type(content_type, &no_header) == BODY_AUTO);
}

enum result body_read(struct str body, struct str content_type, const struct body_reading *how,
                      uint64_t unpacked_max, struct buf *out, struct body_found *found)
{
    struct reader r = { how, content_type, found };
    enum pack pack = unpack_kind(body);
    enum result result;

    *found = (struct body_found){ .was = 0 };
    result = pack == PACK_NONE ? read_letters(&r, body, how->as, out)
                               : read_packed(&r, body, pack, unpacked_max, out);
    if (result == RESULT_LIMIT && !found->why[0]) {
        refuse(&r, result, "is larger as JSON than a body may be");
    }
    return result;
}
