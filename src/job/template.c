#include "job/template.h"

#include "base/grow.h"
#include "base/json_scan.h"
#include "base/json_text.h"

#include <stdlib.h>
#include <string.h>

#define NO_NAME SIZE_MAX

struct piece {
    size_t at, len; /* of a literal, in `bytes` */
    size_t name;    /* of a placeholder, else NO_NAME */
    bool as_it_is;  /* {+name} */
    bool is_whole;  /* JSON: the string is this placeholder, and its quotes go too */
};

struct template
{
    enum template_context context;
    struct buf bytes; /* literals and names; pieces and names are offsets into it while it grows */
    struct piece *pieces;
    size_t piece_count, piece_allocated;
    struct {
        size_t at, len;
    } names[TEMPLATE_NAMES_MAX];
    size_t name_count;
};

/* Where template_new has got to. */
struct reader {
    struct template *t;
    struct str text;
    size_t at;
    struct err *err;
};

/* --- reading ------------------------------------------------------------------------------------- */

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_name_char(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-';
}

/* After the first dot comes a field's name, which may be any column's. */
static bool is_field_char(char c)
{
    return (unsigned char)c >= 0x20 && c != 0x7F && c != '{' && c != '}' && c != '"' && c != '\\';
}

/* The length of `{name}` at the head of `text`, with its braces; 0 when none stands there. */
static size_t placeholder_len(struct str text, struct str *name, bool *as_it_is)
{
    size_t at = 1, start;

    *as_it_is = text.len > 1 && text.data[1] == '+';
    at += *as_it_is;
    start = at;
    if (at >= text.len || !is_name_start(text.data[at])) {
        return 0;
    }
    while (at < text.len && is_name_char(text.data[at])) {
        at++;
    }
    if (at + 1 < text.len && text.data[at] == '.' && is_field_char(text.data[at + 1])) {
        at++;
        while (at < text.len && is_field_char(text.data[at])) {
            at++;
        }
    }
    if (at >= text.len || text.data[at] != '}' || at - start > TEMPLATE_NAME_MAX) {
        return 0;
    }
    *name = (struct str){ text.data + start, at - start };
    return at + 1;
}

static struct piece *add_piece(struct template *t)
{
    struct piece *pieces =
        grow_by_one(t->pieces, t->piece_count, &t->piece_allocated, sizeof *pieces);

    if (!pieces) {
        return NULL;
    }
    t->pieces = pieces;
    t->pieces[t->piece_count] = (struct piece){ .at = t->bytes.len, .name = NO_NAME };
    return &t->pieces[t->piece_count++];
}

/* Adds bytes to the literal that is being read. */
static enum result add_literal(struct template *t, struct str text)
{
    struct piece *last = t->piece_count ? &t->pieces[t->piece_count - 1] : NULL;

    if (!text.len) {
        return RESULT_OK;
    }
    if (!last || last->name != NO_NAME) {
        last = add_piece(t);
    }
    if (!last || buf_append_str(&t->bytes, text) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    last->len += text.len;
    return RESULT_OK;
}

static enum result find_name(struct reader *r, struct str name, size_t *index)
{
    struct template *t = r->t;

    for (*index = 0; *index < t->name_count; (*index)++) {
        if (str_equal(template_name(t, *index), name)) {
            return RESULT_OK;
        }
    }
    if (t->name_count == TEMPLATE_NAMES_MAX) {
        return err_set(r->err, RESULT_LIMIT, "E-TPL1", "more than %d different placeholders",
                       TEMPLATE_NAMES_MAX);
    }
    t->names[t->name_count].at = t->bytes.len;
    t->names[t->name_count].len = name.len;
    if (buf_append_str(&t->bytes, name) != RESULT_OK) {
        return err_nomem(r->err, "reading a template");
    }
    t->name_count++;
    return RESULT_OK;
}

static enum result add_placeholder(struct reader *r, struct str name, bool as_it_is, bool is_whole)
{
    size_t index;
    struct piece *piece;
    enum result result = find_name(r, name, &index);

    if (result != RESULT_OK) {
        return result;
    }
    piece = add_piece(r->t);
    if (!piece) {
        return err_nomem(r->err, "reading a template");
    }
    piece->name = index;
    piece->is_whole = is_whole;
    piece->as_it_is =
        as_it_is || (r->t->context == TEMPLATE_URL && r->at == 0); /* {url} is a whole URL */
    return RESULT_OK;
}

/* What stands at a `{`. */
static enum result read_brace(struct reader *r)
{
    struct str rest = { r->text.data + r->at, r->text.len - r->at };
    struct str name;
    bool as_it_is;
    size_t len;

    if (str_starts(rest, STR("{{"))) {
        r->at += 2;
        return add_literal(r->t, STR("{")) == RESULT_OK ? RESULT_OK
                                                        : err_nomem(r->err, "reading a template");
    }
    len = placeholder_len(rest, &name, &as_it_is);
    if (len) {
        enum result result = add_placeholder(r, name, as_it_is, false);

        r->at += len;
        return result;
    }
    if (r->t->context != TEMPLATE_JSON) {
        return err_set(r->err, RESULT_INVALID, "E-TPL1",
                       "\"{\" at byte %zu begins no placeholder such as {id} or {products.id}; "
                       "write {{ for a plain brace",
                       r->at + 1);
    }
    r->at++;
    return add_literal(r->t, STR("{")) == RESULT_OK ? RESULT_OK
                                                    : err_nomem(r->err, "reading a template");
}

/* Up to `end`, all of which is text. */
static enum result read_text(struct reader *r, size_t end)
{
    enum result result = RESULT_OK;

    while (r->at < end && result == RESULT_OK) {
        const char *from = r->text.data + r->at;
        const char *brace = memchr(from, '{', end - r->at);
        size_t len = brace ? (size_t)(brace - from) : end - r->at;

        if (add_literal(r->t, (struct str){ from, len }) != RESULT_OK) {
            return err_nomem(r->err, "reading a template");
        }
        r->at += len;
        if (brace) {
            result = read_brace(r);
        }
    }
    return result;
}

/* After the quote that ends the string which begins at `at`. The text is valid JSON. */
static size_t string_end(struct str text, size_t at)
{
    for (at++; text.data[at] != '"'; at++) {
        at += text.data[at] == '\\';
    }
    return at + 1;
}

static bool is_member_name(struct str text, size_t at)
{
    while (at < text.len && strchr(" \t\r\n", text.data[at])) {
        at++;
    }
    return at < text.len && text.data[at] == ':';
}

/* One string of a JSON text, its quotes included. */
static enum result read_string(struct reader *r)
{
    size_t end = string_end(r->text, r->at);
    struct str inside = { r->text.data + r->at + 1, end - r->at - 2 };
    struct str name;
    bool as_it_is;

    if (inside.len && inside.data[0] == '{' && !is_member_name(r->text, end) &&
        placeholder_len(inside, &name, &as_it_is) == inside.len) {
        enum result result = add_placeholder(r, name, false, true);

        r->at = end;
        return result;
    }
    return read_text(r, end);
}

static enum result read_json(struct reader *r)
{
    struct json_error fault;
    enum result result = RESULT_OK;

    if (!json_check(r->text, JSON_DEPTH_MAX, &fault)) {
        return err_set(r->err, RESULT_INVALID, "E-TPL1", "%s", fault.text);
    }
    while (r->at < r->text.len && result == RESULT_OK) {
        const char *from = r->text.data + r->at;
        const char *quote = memchr(from, '"', r->text.len - r->at);
        size_t len = quote ? (size_t)(quote - from) : r->text.len - r->at;

        if (add_literal(r->t, (struct str){ from, len }) != RESULT_OK) {
            return err_nomem(r->err, "reading a template");
        }
        r->at += len;
        if (quote) {
            result = read_string(r);
        }
    }
    return result;
}

enum result template_new(struct template **made, struct str text, enum template_context context,
                         struct err *err)
{
    struct template *t = calloc(1, sizeof *t);
    struct reader r = { .t = t, .text = text, .err = err };
    enum result result;

    if (!t) {
        return err_nomem(err, "reading a template");
    }
    t->context = context;
    result = context == TEMPLATE_JSON ? read_json(&r) : read_text(&r, text.len);
    if (result != RESULT_OK) {
        template_free(t);
        return result;
    }
    *made = t;
    return RESULT_OK;
}

void template_free(struct template *t)
{
    if (t) {
        buf_release(&t->bytes);
        free(t->pieces);
        free(t);
    }
}

enum template_context template_body_context(struct str body)
{
    return json_check(body, JSON_DEPTH_MAX, NULL) ? TEMPLATE_JSON : TEMPLATE_FORM;
}

/* --- names --------------------------------------------------------------------------------------- */

size_t template_name_count(const struct template *t)
{
    return t->name_count;
}

struct str template_name(const struct template *t, size_t index)
{
    return (struct str){ t->bytes.data + t->names[index].at, t->names[index].len };
}

bool template_head_is_valid(struct str head)
{
    for (size_t i = 0; i < head.len; i++) {
        if (!(i == 0 ? is_name_start(head.data[i]) : is_name_char(head.data[i]))) {
            return false;
        }
    }
    return head.len;
}

struct str template_name_head(struct str name, struct str *field)
{
    *field = name;
    return str_cut(field, '.');
}

enum result template_field_pointer(struct str field, struct buf *pointer)
{
    enum result result = RESULT_OK;

    if (field.len && field.data[0] == '/') {
        return buf_append_str(pointer, field);
    }
    while (field.data && result == RESULT_OK) {
        struct str step = str_cut(&field, '.');

        result = buf_append_char(pointer, '/');
        for (size_t i = 0; i < step.len && result == RESULT_OK; i++) {
            result = step.data[i] == '~'   ? buf_append_str(pointer, STR("~0"))
                     : step.data[i] == '/' ? buf_append_str(pointer, STR("~1"))
                                           : buf_append_char(pointer, step.data[i]);
        }
    }
    return result;
}

/* --- expanding ------------------------------------------------------------------------------------ */

enum result template_value_text(struct str json, struct buf *out)
{
    switch (json_type_of(json)) {
    case JSON_STRING:
        return json_unescape(out, json_string_raw(json), NULL);
    case JSON_NUMBER:
    case JSON_BOOL:
        return buf_append_str(out, str_trim(json));
    case JSON_NONE:
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return RESULT_NOT_FOUND;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* What `{+}` lets pass: all but what may stand in no URL. */
static bool is_url_byte(char c)
{
    return is_unreserved(c) || (c && strchr(":/?#[]@!$&'()*+,;=%", c));
}

static enum result append_encoded(struct buf *out, struct str value, bool as_it_is)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < value.len && result == RESULT_OK; i++) {
        char c = value.data[i];

        result = (as_it_is ? is_url_byte(c) : is_unreserved(c))
                     ? buf_append_char(out, c)
                     : buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
    return result;
}

enum result template_encode(struct str text, struct buf *out)
{
    return append_encoded(out, text, false);
}

static enum result append_in_url(struct buf *out, struct str value, bool as_it_is, struct err *err)
{
    if (!as_it_is && (str_equal(value, STR(".")) || str_equal(value, STR("..")))) {
        return err_set(err, RESULT_INVALID, "E-TPL3", "the value \"%.*s\" would be another path",
                       STR_ARG(value));
    }
    return append_encoded(out, value, as_it_is);
}

/* Escaped, without the quotes that the literal has. */
static enum result append_in_json(struct buf *out, struct str value)
{
    struct buf literal = { 0 };
    enum result result = json_text_append(&literal, value);

    if (result == RESULT_OK) {
        result = buf_append(out, literal.data + 1, literal.len - 2);
    }
    buf_release(&literal);
    return result;
}

static enum result append_in_header(struct buf *out, struct str value, struct err *err)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if (c == '\r' || c == '\n') {
            return err_set(err, RESULT_INVALID, "E-HDR2", "line break not allowed in a header");
        }
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return err_set(err, RESULT_INVALID, "E-HDR2",
                           "control character \\x%02x not allowed in a header", (unsigned)c);
        }
    }
    return buf_append_str(out, value);
}

static enum result append_text(const struct template *t, const struct piece *piece,
                               struct str value, struct buf *out, struct err *err)
{
    switch (t->context) {
    case TEMPLATE_URL:
        return append_in_url(out, value, piece->as_it_is, err);
    case TEMPLATE_FORM:
        return append_encoded(out, value, piece->as_it_is);
    case TEMPLATE_JSON:
        return append_in_json(out, value);
    case TEMPLATE_HEADER:
        break;
    }
    return append_in_header(out, value, err);
}

static enum result append_value(const struct template *t, const struct piece *piece,
                                struct str json, struct buf *out, struct err *err)
{
    struct buf text = { 0 };
    enum result result;

    if (json_type_of(json) == JSON_NULL || json_type_of(json) == JSON_NONE) {
        return RESULT_NOT_FOUND;
    }
    if (piece->is_whole) {
        return buf_append_str(out, str_trim(json));
    }
    result = template_value_text(json, &text);
    if (result == RESULT_OK) {
        result = append_text(t, piece, buf_view(&text), out, err);
    }
    buf_release(&text);
    return result;
}

static enum result tell(const struct template *t, const struct piece *piece, enum result result,
                        struct err *err)
{
    struct str name = template_name(t, piece->name);

    if (result == RESULT_NOT_FOUND) {
        return err_set(err, result, "E-TPL2", "{%.*s} has no value here", STR_ARG(name));
    }
    if (result == RESULT_INVALID) {
        err_prefix(err, "{%.*s}", STR_ARG(name));
        return result;
    }
    return result == RESULT_LIMIT
               ? err_set(err, result, "E-TPL3", "{%.*s}: too long a text", STR_ARG(name))
               : err_nomem(err, "filling in a template");
}

enum result template_expand(const struct template *t, template_lookup_fn *lookup, void *context,
                            struct buf *out, struct err *err)
{
    for (size_t i = 0; i < t->piece_count; i++) {
        const struct piece *piece = &t->pieces[i];
        enum result result = RESULT_NOT_FOUND;
        struct str json;

        if (piece->name == NO_NAME) {
            result = buf_append(out, t->bytes.data + piece->at, piece->len);
            if (result != RESULT_OK) {
                return result == RESULT_NOMEM ? err_nomem(err, "filling in a template")
                                              : err_set(err, result, "E-TPL3", "too long a text");
            }
            continue;
        }
        if (lookup(context, piece->name, &json)) {
            result = append_value(t, piece, json, out, err);
        }
        if (result != RESULT_OK) {
            return tell(t, piece, result, err);
        }
    }
    return RESULT_OK;
}
