#include "probe/curl_form.h"

#include <string.h>

/* Between parts until the boundary is known, which may stand in none: no text of a command holds a NUL. */
#define MARK '\0'

/* One "key=value" after a semicolon, its quotes resolved. */
struct setting {
    struct str key;
    struct buf value;
};

static struct str trim(struct str text)
{
    return str_trim(text);
}

/* Takes a value, in quotes or up to the next semicolon. False without memory. */
static bool take_value(struct str *rest, struct buf *value)
{
    size_t i = 0;
    bool is_quoted = rest->len && rest->data[0] == '"';

    for (i = is_quoted; i < rest->len; i++) {
        char c = rest->data[i];

        if (is_quoted && c == '\\' && i + 1 < rest->len &&
            (rest->data[i + 1] == '"' || rest->data[i + 1] == '\\')) {
            c = rest->data[++i];
        } else if (c == (is_quoted ? '"' : ';')) {
            break;
        }
        if (buf_append_char(value, c) != RESULT_OK) {
            return false;
        }
    }
    *rest = (struct str){ rest->data + i, rest->len - i };
    while (is_quoted && rest->len && rest->data[0] != ';') {
        *rest = (struct str){ rest->data + 1, rest->len - 1 };
    }
    return true;
}

/* A name in quotes, as browsers and curl write it. */
static enum result put_quoted(struct buf *to, struct str text)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < text.len && result == RESULT_OK; i++) {
        char c = text.data[i];

        result = c == '"'    ? buf_append_str(to, STR("%22"))
                 : c == '\r' ? buf_append_str(to, STR("%0D"))
                 : c == '\n' ? buf_append_str(to, STR("%0A"))
                             : buf_append_char(to, c);
    }
    return result;
}

static enum result put_part(struct buf *to, struct str name, struct str content, struct str type,
                            struct str file)
{
    enum result result = buf_append_char(to, MARK);

#define PUT(call) result = result == RESULT_OK ? (call) : result
    PUT(buf_append_str(to, STR("\r\nContent-Disposition: form-data; name=\"")));
    PUT(put_quoted(to, name));
    if (file.data) {
        PUT(buf_append_str(to, STR("\"; filename=\"")));
        PUT(put_quoted(to, file));
    }
    PUT(buf_append_str(to, STR("\"")));
    if (type.len) {
        PUT(buf_append_str(to, STR("\r\nContent-Type: ")));
        PUT(buf_append_str(to, type));
    }
    PUT(buf_append_str(to, STR("\r\n\r\n")));
    PUT(buf_append_str(to, content));
    PUT(buf_append_str(to, STR("\r\n")));
#undef PUT
    return result;
}

/* What curl makes of a file's name; empty: nothing. */
static struct str type_of(struct str file)
{
    static const struct {
        struct str end, type;
    } types[] = {
        { STR_INIT(".gif"), STR_INIT("image/gif") },
        { STR_INIT(".jpg"), STR_INIT("image/jpeg") },
        { STR_INIT(".jpeg"), STR_INIT("image/jpeg") },
        { STR_INIT(".png"), STR_INIT("image/png") },
        { STR_INIT(".svg"), STR_INIT("image/svg+xml") },
        { STR_INIT(".txt"), STR_INIT("text/plain") },
        { STR_INIT(".htm"), STR_INIT("text/html") },
        { STR_INIT(".html"), STR_INIT("text/html") },
        { STR_INIT(".pdf"), STR_INIT("application/pdf") },
        { STR_INIT(".xml"), STR_INIT("application/xml") },
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t len = types[i].end.len;

        if (file.len >= len &&
            str_equal_nocase((struct str){ file.data + file.len - len, len }, types[i].end)) {
            return types[i].type;
        }
    }
    return STR_NONE;
}

static enum result refuse(struct err *err, const char *what, struct str name)
{
    return err_set(err, RESULT_INVALID, "E-CURL2", "curl command: -F %.*s: %s",
                   (int)(name.len < 60 ? name.len : 60), name.data, what);
}

/* "; type=text/plain; filename=x" after the content. */
static enum result take_settings(struct str rest, struct str name, struct buf *type,
                                 struct buf *file, bool *has_file, struct err *err)
{
    while (rest.len) {
        struct str key;
        struct buf *to;

        rest = trim((struct str){ rest.data + 1, rest.len - 1 });
        if (!rest.len) {
            break;
        }
        key = trim(str_cut(&rest, '='));
        to = str_equal_nocase(key, STR("type"))       ? type
             : str_equal_nocase(key, STR("filename")) ? file
                                                      : NULL;
        if (!to || !rest.data) {
            return refuse(err, "want name=content;type=...;filename=... alone", name);
        }
        *has_file |= to == file;
        if (!take_value(&rest, to)) {
            return err_nomem(err, "reading a curl command");
        }
    }
    return RESULT_OK;
}

enum result curl_form_add(struct buf *parts, struct str text, bool is_plain, struct err *err)
{
    struct str rest = text, name = str_cut(&rest, '=');
    struct buf content = { 0 }, type = { 0 }, file = { 0 };
    bool has_file = false;
    enum result result = RESULT_OK;

    if (!rest.data || !name.len) {
        return refuse(err, "want name=content", text);
    }
    if (!is_plain && rest.len && (rest.data[0] == '@' || rest.data[0] == '<')) {
        return refuse(err, "it reads a file; give the text itself", name);
    }
    if (is_plain) {
        result = buf_append_str(&content, rest) == RESULT_OK
                     ? RESULT_OK
                     : err_nomem(err, "reading a curl command");
    } else if (!take_value(&rest, &content)) {
        result = err_nomem(err, "reading a curl command");
    } else {
        result = take_settings(rest, name, &type, &file, &has_file, err);
    }
    if (result == RESULT_OK &&
        put_part(parts, name, buf_view(&content),
                 type.len || !has_file ? buf_view(&type) : type_of(buf_view(&file)),
                 has_file ? buf_view(&file) : STR_NONE) != RESULT_OK) {
        result = err_nomem(err, "reading a curl command");
    }
    buf_release(&content);
    buf_release(&type);
    buf_release(&file);
    return result;
}

/* A number more until it stands nowhere in the parts. */
static bool choose(struct str parts, struct buf *boundary)
{
    for (unsigned i = 0; i < 1000; i++) {
        buf_reset(boundary);
        if (buf_printf(boundary, "------------------------scrapetop%03u", i) != RESULT_OK) {
            return false;
        }
        if (!memmem(parts.data, parts.len, boundary->data, boundary->len)) {
            return true;
        }
    }
    return false;
}

enum result curl_form_finish(struct buf *parts, struct buf *boundary, struct err *err)
{
    struct str text = buf_view(parts);
    struct buf made = { 0 };
    enum result result = choose(text, boundary) ? RESULT_OK : RESULT_NOMEM;

    for (size_t i = 0; i < text.len && result == RESULT_OK; i++) {
        result = text.data[i] == MARK ? buf_printf(&made, "--%.*s", STR_ARG(buf_view(boundary)))
                                      : buf_append_char(&made, text.data[i]);
    }
    if (result == RESULT_OK) {
        result = buf_printf(&made, "--%.*s--\r\n", STR_ARG(buf_view(boundary)));
    }
    buf_release(parts);
    *parts = made;
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading a curl command");
}
