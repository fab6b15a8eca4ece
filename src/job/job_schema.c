#include "job/job_schema.h"

#include "base/json_text.h"
#include "job/auth/auth_kind.h"
#include "job/job.h"
#include "job/job_keys.h"

#include <cjson/cJSON.h>

#include <string.h>

#define NAME_PATTERN "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"
#define POINTER_PATTERN "^/"

struct printer {
    struct buf *out;
    const char *endings;
    bool ok;
};

static void put(struct printer *p, const char *text)
{
    p->ok = p->ok && buf_append_str(p->out, str_view(text)) == RESULT_OK;
}

static void put_string(struct printer *p, const char *text)
{
    p->ok = p->ok && json_text_append(p->out, str_view(text)) == RESULT_OK;
}

/* Before a member, which may be the first of its object. */
static void put_comma(struct printer *p)
{
    put(p, p->out->len && p->out->data[p->out->len - 1] == '{' ? "" : ",");
}

/* `"a"` with a comma before it, unless it is the first. */
static void put_element(struct printer *p, bool is_first, struct str text)
{
    put(p, is_first ? "" : ",");
    p->ok = p->ok && json_text_append(p->out, text) == RESULT_OK;
}

/* --- lists that have their own tables --------------------------------------------------------------------- */

static void put_words(struct printer *p, const char *words)
{
    struct str rest = str_view(words);

    put(p, "[");
    for (bool is_first = true; rest.data; is_first = false) {
        put_element(p, is_first, str_cut(&rest, ' '));
    }
    put(p, "]");
}

static void put_endings(struct printer *p)
{
    put_words(p, p->endings);
}

static void put_page_words(struct printer *p)
{
    bool is_first = true;

    put(p, "[");
    for (int kind = JOB_PAGES_KINDS - 1; kind > JOB_PAGES_NONE; kind--) {
        if (job_page_styles[kind].word) {
            put_element(p, is_first, str_view(job_page_styles[kind].word));
            is_first = false;
        }
    }
    put(p, "]");
}

static void put_actions(struct printer *p)
{
    put(p, "[");
    for (int i = 0; i < ANSWER_DO_COUNT; i++) {
        put_element(p, !i, str_view(answer_actions[i].name));
    }
    put(p, "]");
}

static void put_bodies(struct printer *p)
{
    put(p, "[");
    for (int i = 0; i < ANSWER_BODY_COUNT; i++) {
        put_element(p, !i, str_view(answer_body_name((enum answer_body)i)));
    }
    put(p, "]");
}

static void put_auth_kinds(struct printer *p)
{
    put(p, "[");
    for (size_t i = 0; auth_kinds[i]; i++) {
        put(p, i ? ",{\"required\":[" : "{\"required\":[");
        put_string(p, auth_kinds[i]->key.name);
        put(p, "]}");
    }
    put(p, "]");
}

static const struct {
    const char *name;
    const char *words; /* with blanks between; or: */
    void (*put)(struct printer *p);
} lists[] = {
    { "\"@methods\"", JOB_METHOD_WORDS, NULL },
    { "\"@shapes\"", RECORD_SHAPE_WORDS, NULL },
    { "\"@formats\"", BODY_FORMAT_WORDS, NULL },
    { "\"@column_types\"", COLUMN_TYPE_WORDS, NULL },
    { "\"@column_errors\"", COLUMN_ERROR_WORDS, NULL },
    { "\"@keeps\"", ROW_KEEP_WORDS, NULL },
    { "\"@endings\"", NULL, put_endings },
    { "\"@page_words\"", NULL, put_page_words },
    { "\"@actions\"", NULL, put_actions },
    { "\"@bodies\"", NULL, put_bodies },
    { "\"@auth_kinds\"", NULL, put_auth_kinds },
};

/* The list of that name, at whose name `*text` stands, is put instead, and the name passed over. */
static bool put_list(struct printer *p, const char **text)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        size_t len = strlen(lists[i].name);

        if (strncmp(*text, lists[i].name, len) != 0) {
            continue;
        }
        if (lists[i].put) {
            lists[i].put(p);
        } else {
            put_words(p, lists[i].words);
        }
        *text += len;
        return true;
    }
    return false;
}

/* Members as a row has them. */
static void put_members(struct printer *p, const char *text)
{
    put_comma(p);
    while (*text && p->ok) {
        if (!put_list(p, &text)) {
            p->ok = buf_append_char(p->out, *text++) == RESULT_OK;
        }
    }
}

/* --- what a row says -------------------------------------------------------------------------------------- */

/* "ok: a good answer; empty: ..." of tables whose words have a help of their own. */
static void list_page_words(struct buf *to)
{
    for (int kind = JOB_PAGES_KINDS - 1; kind > JOB_PAGES_NONE; kind--) {
        if (job_page_styles[kind].word) {
            (void)!buf_printf(to, "%s%s: %s", to->len ? "; " : "", job_page_styles[kind].word,
                              job_page_styles[kind].help);
        }
    }
}

static void list_actions(struct buf *to)
{
    for (int i = 0; i < ANSWER_DO_COUNT; i++) {
        (void)!buf_printf(to, "%s%s: %s", i ? "; " : "", answer_actions[i].name,
                          answer_actions[i].help);
    }
}

static void list_on_verbs(struct buf *to)
{
    for (int i = 0; i < ON_VERB_COUNT; i++) {
        (void)!buf_printf(to, "%s%s: %s", i ? "; " : "", on_verbs[i].word, on_verbs[i].help);
    }
}

static void put_help(struct printer *p, const char *help)
{
    struct buf text = { .max = 4096 };

    if (strcmp(help, "@page_words") == 0) {
        list_page_words(&text);
    } else if (strcmp(help, "@actions") == 0) {
        list_actions(&text);
    } else if (strcmp(help, "@on_verbs") == 0) {
        list_on_verbs(&text);
    } else {
        p->ok = p->ok && buf_append_str(&text, str_view(help)) == RESULT_OK;
    }
    put(p, "\"description\":");
    p->ok = p->ok && json_text_append(p->out, buf_view(&text)) == RESULT_OK;
    buf_release(&text);
}

static void put_pattern(struct printer *p, const char *pattern)
{
    put(p, "\"type\":\"string\",\"pattern\":");
    put_string(p, pattern);
}

static void put_range(struct printer *p, const struct job_key *key)
{
    p->ok = p->ok && buf_printf(p->out, "\"type\":\"integer\",\"minimum\":%llu",
                                (unsigned long long)key->low) == RESULT_OK;
    if (key->high < INT64_MAX) {
        p->ok = p->ok &&
                buf_printf(p->out, ",\"maximum\":%llu", (unsigned long long)key->high) == RESULT_OK;
    }
}

static void put_type(struct printer *p, const struct job_key *key)
{
    switch (key->kind) {
    case JOB_KEY_TEXT:
    case JOB_KEY_PATH:
    case JOB_KEY_BACKOFF:
        put(p, "\"type\":\"string\"");
        break;
    case JOB_KEY_NAME:
        put_pattern(p, NAME_PATTERN);
        break;
    case JOB_KEY_POINTER:
        put_pattern(p, POINTER_PATTERN);
        break;
    case JOB_KEY_WHOLE:
        put_pattern(p, "^(/|$)");
        break;
    case JOB_KEY_COUNTED_AT:
        put_pattern(p, "^(/|header:.)");
        break;
    case JOB_KEY_COUNT:
    case JOB_KEY_NUMBER:
        put_range(p, key);
        break;
    case JOB_KEY_SIZE:
        put(p, "\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\",\"minimum\":");
        p->ok = p->ok && buf_printf(p->out, "%llu}]", (unsigned long long)key->low) == RESULT_OK;
        break;
    case JOB_KEY_TIME:
        put(p, "\"$ref\":\"#/definitions/time\"");
        break;
    case JOB_KEY_RATE:
        put(p, "\"anyOf\":[{\"type\":\"string\"},{\"type\":\"number\",\"exclusiveMinimum\":0}]");
        break;
    case JOB_KEY_BOOL:
        put(p, "\"type\":\"boolean\"");
        break;
    case JOB_KEY_TEXTS:
        put(p, "\"type\":\"array\",\"items\":{\"type\":\"string\"}");
        break;
    case JOB_KEY_WORDS:
        p->ok = p->ok && buf_printf(p->out,
                                    "\"type\":\"array\",\"minItems\":1,\"maxItems\":%d,"
                                    "\"items\":{\"type\":\"string\"}",
                                    JOB_WORDS_MAX) == RESULT_OK;
        break;
    case JOB_KEY_SECRET:
    case JOB_KEY_SECRET_OR_NONE:
    case JOB_KEY_NAMED:
        put(p, "\"type\":[\"string\",\"null\"]");
        break;
    case JOB_KEY_OBJECT:
    case JOB_KEY_AUTH:
        put(p, "\"$ref\":\"#/definitions/");
        put(p, key->inner->object);
        put(p, "\"");
        break;
    case JOB_KEY_OTHER:
        break;
    }
}

static void put_key(struct printer *p, const struct job_key *key)
{
    put_string(p, key->name);
    put(p, ":{");
    if (key->help) {
        put_help(p, key->help);
    }
    if (key->schema) {
        put_members(p, key->schema);
    } else if (key->kind != JOB_KEY_OTHER) {
        put_comma(p);
        put_type(p, key);
    }
    put(p, "}");
}

static void put_object(struct printer *p, const struct job_keys *keys)
{
    put_help(p, keys->help);
    put(p, ",\"type\":\"object\",\"additionalProperties\":false,"
           "\"patternProperties\":{\"^\\\\$\":{}},\"properties\":{");
    for (size_t i = 0; i < keys->count; i++) {
        put(p, i ? "," : "");
        put_key(p, &keys->keys[i]);
    }
    put(p, "}");
    if (keys->schema) {
        put_members(p, keys->schema);
    }
}

/* Types that rows refer to, next to the objects. */
/* clang-format off */
static const char types[] = JOB_JSON("definitions": {
    "ending": {"enum": "@endings"},
    "time": {"description": "30, 250ms, 30s, 5m, 1h30m",
             "anyOf": [{"type": "string", "pattern": "^[0-9]"}, {"type": "number", "minimum": 0}]},
    "headers": {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
});
/* clang-format on */

enum result job_schema_write(const char *endings, struct buf *out, struct err *err)
{
    struct buf text = { 0 };
    struct printer p = { &text, endings, true };
    const struct job_keys *object;
    cJSON *schema;
    char *printed;

    put(&p,
        "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"scrapetop job\",");
    put_object(&p, job_object(0));
    put_members(&p, types);
    text.len -= p.ok; /* the brace that ends the definitions: objects follow */
    for (size_t i = 1; (object = job_object(i)); i++) {
        put(&p, ",");
        put_string(&p, object->object);
        put(&p, ":{");
        put_object(&p, object);
        put(&p, "}");
    }
    put(&p, "}}");
    schema = p.ok ? cJSON_ParseWithLength(text.data, text.len) : NULL;
    printed = cJSON_Print(schema);
    p.ok = printed && buf_printf(out, "%s\n", printed) == RESULT_OK;
    cJSON_free(printed);
    cJSON_Delete(schema);
    buf_release(&text);
    return p.ok ? RESULT_OK : err_nomem(err, "printing the schema");
}
