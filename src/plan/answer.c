#include "plan/answer.h"

#include "base/json_scan.h"
#include "base/utf8.h"
#include "plan/retry_after.h"

#include <stdio.h>
#include <string.h>

#define SNIFFED_BYTES 1024 /* of a body, to see what it is */
#define WAIT_TEXT_MAX 128

/* --- what a body is ----------------------------------------------------------------------------------- */

static bool starts_nocase(struct str text, struct str with)
{
    return text.len >= with.len && str_equal_nocase((struct str){ text.data, with.len }, with);
}

/* Without white space and comments, which may stand before both. */
static struct str skip_to_tag(struct str head)
{
    head = str_trim(json_without_bom(head));
    while (str_starts(head, STR("<!--"))) {
        const char *end = memmem(head.data, head.len, "-->", 3);

        if (!end) {
            break;
        }
        head.len -= (size_t)(end + 3 - head.data);
        head.data = end + 3;
        head = str_trim(head);
    }
    return head;
}

static bool looks_like_html(struct str head)
{
    static const struct str tags[] = {
        STR_INIT("<!doctype html"), STR_INIT("<html"), STR_INIT("<head"), STR_INIT("<body"),
        STR_INIT("<title"),         STR_INIT("<meta"), STR_INIT("<h1"),   STR_INIT("<script"),
    };

    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (starts_nocase(head, tags[i])) {
            return true;
        }
    }
    return false;
}

/* "text/html" of "text/html; charset=utf-8". */
static struct str media_type(struct str content_type)
{
    return str_trim(str_cut(&content_type, ';'));
}

static bool is_named_xml(struct str type)
{
    return str_equal_nocase(type, STR("application/xml")) ||
           str_equal_nocase(type, STR("text/xml")) ||
           (type.len > 4 &&
            starts_nocase((struct str){ type.data + type.len - 4, 4 }, STR("+xml")));
}

/* A character that the head's end has cut is none that is wrong. */
static bool is_text(struct str head)
{
    return !memchr(head.data, '\0', head.len) && utf8_valid_prefix(head) + 3 >= head.len;
}

enum answer_body answer_body_of(const struct answer_view *a)
{
    struct str head = a->body, type = media_type(a->content_type), tag;

    if (!str_trim(a->body).len) {
        return ANSWER_BODY_EMPTY;
    }
    if (a->is_json || (a->is_cut && memchr("{[", str_trim(a->body).data[0], 2))) {
        return ANSWER_BODY_JSON;
    }
    head.len = head.len < SNIFFED_BYTES ? head.len : SNIFFED_BYTES;
    tag = skip_to_tag(head);
    if (looks_like_html(tag) || str_equal_nocase(type, STR("text/html")) ||
        str_equal_nocase(type, STR("application/xhtml+xml"))) {
        return ANSWER_BODY_HTML;
    }
    if (str_starts(tag, STR("<?xml")) || (is_named_xml(type) && str_starts(tag, STR("<")))) {
        return ANSWER_BODY_XML;
    }
    return is_text(head) ? ANSWER_BODY_TEXT : ANSWER_BODY_BINARY;
}

/* --- texts in it -------------------------------------------------------------------------------------- */

bool answer_text_at(const struct answer_view *a, const struct answer_place *place, struct buf *out)
{
    size_t before = out->len;
    struct str value;

    if (!place->name) {
        return false;
    }
    if (place->is_header) {
        value = a->header ? a->header(a->context, str_view(place->name), 0) : STR_NONE;
        return value.len && buf_append_str(out, value) == RESULT_OK;
    }
    if (!a->is_json || !json_find(a->body, str_view(place->name), &value)) {
        return false;
    }
    if (json_type_of(value) == JSON_STRING) {
        return json_unescape(out, json_string_raw(value), NULL) == RESULT_OK && out->len > before;
    }
    return json_type_of(value) == JSON_NUMBER && buf_append_str(out, str_trim(value)) == RESULT_OK;
}

bool answer_wait_at(const struct answer_view *a, const struct answer_place *place, uint64_t unit_us,
                    uint64_t *wait_us, char *said, size_t said_size)
{
    struct buf text = { .max = WAIT_TEXT_MAX };
    struct str date = a->header ? a->header(a->context, STR("date"), 0) : STR_NONE;
    bool is_told = answer_text_at(a, place, &text) &&
                   retry_after_read(buf_view(&text), unit_us,
                                    retry_after_server_us(date, a->wall_us), wait_us);

    if (is_told && said_size) {
        snprintf(said, said_size, "%.*s", STR_ARG(buf_view(&text)));
    }
    buf_release(&text);
    return is_told;
}
