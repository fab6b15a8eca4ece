#include "read/xml_json.h"

#include "base/body_text.h"
#include "base/json_text.h"
#include "base/os.h"

#include <expat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Given to expat at a time. One before 2.6 looks at a token that is not whole from its start again with each. */
#define SLICE_BYTES ((size_t)64 << 20)
#define TEXT_KEPT_BYTES ((size_t)1 << 20) /* room for an element's text that is kept for the next */
#define NONE UINT32_MAX

/* An element, or an attribute: then its name begins with `@`. */
struct node {
    uint32_t name;
    uint32_t child, next;     /* the first of its own, the next of its parent's */
    uint32_t next_same;       /* of its parent's with the same name */
    bool is_later;            /* not the first of them */
    size_t text_at, text_len; /* in `texts` */
};

struct name {
    size_t at, len; /* in `names_text` */
    uint32_t next;  /* of those with the same hash */
    uint32_t parent,
        last; /* the node whose children were looked at last, and the last of them of this name */
};

struct open_element {
    uint32_t node, last_child;
    struct buf text;
};

struct reading {
    XML_Parser parser;
    size_t max, used; /* bytes of what is kept until it is written */
    struct node *nodes;
    uint32_t node_count, node_cap;
    struct name *names;
    uint32_t name_count, name_cap;
    uint32_t *buckets; /* names by their hash */
    uint32_t basis;    /* of the hash */
    struct buf names_text, texts;
    struct open_element *open; /* XML_DEPTH_MAX */
    unsigned depth;
    enum result result; /* the first failure */
    char *why;
};

#define BUCKETS 4096U

static void fail(struct reading *r, enum result result, const char *why)
{
    if (r->result == RESULT_OK) {
        r->result = result;
        snprintf(r->why, XML_WHY_MAX, "%s", why);
        XML_StopParser(r->parser, XML_FALSE);
    }
}

static bool may_use(struct reading *r, size_t bytes)
{
    r->used += bytes;
    if (r->max && r->used > r->max) {
        fail(r, RESULT_LIMIT, "is XML that needs more memory than a body may");
        return false;
    }
    return true;
}

/* --- names ---------------------------------------------------------------------------------------------- */

/* FNV-1a from a basis that nobody knows, so that nobody can choose names that all fall into one bucket. */
static uint32_t bucket_of(uint32_t basis, struct str prefix, struct str name)
{
    uint32_t hash = basis;

    for (size_t i = 0; i < prefix.len; i++) {
        hash = (hash ^ (unsigned char)prefix.data[i]) * 16777619U;
    }
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619U;
    }
    return (hash ^ hash >> 15) % BUCKETS;
}

static bool name_is(const struct reading *r, const struct name *n, struct str prefix,
                    struct str name)
{
    const char *text = r->names_text.data + n->at;

    return n->len == prefix.len + name.len && memcmp(text, prefix.data, prefix.len) == 0 &&
           memcmp(text + prefix.len, name.data, name.len) == 0;
}

static bool grow_names(struct reading *r)
{
    uint32_t cap = r->name_cap ? 2 * r->name_cap : 64;
    struct name *names;

    if (r->name_count < r->name_cap) {
        return true;
    }
    names = r->name_count < XML_NAMES_MAX ? realloc(r->names, cap * sizeof *names) : NULL;
    if (!names) {
        fail(r, r->name_count < XML_NAMES_MAX ? RESULT_NOMEM : RESULT_LIMIT,
             "is XML with too many different names");
        return false;
    }
    r->names = names;
    r->name_cap = cap;
    return true;
}

/* NONE when that failed. */
static uint32_t intern(struct reading *r, struct str prefix, struct str name)
{
    uint32_t *bucket = &r->buckets[bucket_of(r->basis, prefix, name)];
    struct name *n;

    for (uint32_t i = *bucket; i != NONE; i = r->names[i].next) {
        if (name_is(r, &r->names[i], prefix, name)) {
            return i;
        }
    }
    if (!grow_names(r) || !may_use(r, sizeof *n + prefix.len + name.len)) {
        return NONE;
    }
    n = &r->names[r->name_count];
    *n = (struct name){ r->names_text.len, prefix.len + name.len, *bucket, NONE, NONE };
    if (buf_append_str(&r->names_text, prefix) != RESULT_OK ||
        buf_append_str(&r->names_text, name) != RESULT_OK) {
        fail(r, RESULT_NOMEM, "no memory");
        return NONE;
    }
    *bucket = r->name_count;
    return r->name_count++;
}

/* --- the tree ---------------------------------------------------------------------------------------------- */

static uint32_t add_node(struct reading *r, struct str prefix, struct str name)
{
    uint32_t id = intern(r, prefix, name);

    if (id == NONE || !may_use(r, sizeof *r->nodes)) {
        return NONE;
    }
    if (r->node_count == r->node_cap) {
        uint32_t cap = r->node_cap ? r->node_cap + r->node_cap / 2 : 256;
        struct node *nodes = cap > r->node_cap ? realloc(r->nodes, cap * sizeof *nodes) : NULL;

        if (!nodes) {
            fail(r, RESULT_NOMEM, "no memory");
            return NONE;
        }
        r->nodes = nodes;
        r->node_cap = cap;
    }
    r->nodes[r->node_count] = (struct node){ id, NONE, NONE, NONE, false, 0, 0 };
    return r->node_count++;
}

static void hang(struct reading *r, struct open_element *parent, uint32_t node)
{
    if (parent->last_child == NONE) {
        r->nodes[parent->node].child = node;
    } else {
        r->nodes[parent->last_child].next = node;
    }
    parent->last_child = node;
}

static void set_text(struct reading *r, uint32_t node, struct str text)
{
    if (!may_use(r, text.len)) {
        return;
    }
    r->nodes[node].text_at = r->texts.len;
    r->nodes[node].text_len = text.len;
    if (buf_append_str(&r->texts, text) != RESULT_OK) {
        fail(r, RESULT_NOMEM, "no memory");
    }
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = context;
    struct open_element *open;
    uint32_t node;

    if (r->result != RESULT_OK) {
        return;
    }
    if (r->depth == XML_DEPTH_MAX) {
        fail(r, RESULT_LIMIT, "is XML with elements too deep within each other");
        return;
    }
    node = add_node(r, STR(""), str_view(name));
    if (node == NONE) {
        return;
    }
    if (r->depth) {
        hang(r, &r->open[r->depth - 1], node);
    }
    open = &r->open[r->depth++];
    open->node = node;
    open->last_child = NONE;
    buf_reset(&open->text);
    for (; *attributes && r->result == RESULT_OK; attributes += 2) {
        uint32_t attribute = add_node(r, STR("@"), str_view(attributes[0]));

        if (attribute != NONE) {
            hang(r, open, attribute);
            set_text(r, attribute, str_view(attributes[1]));
        }
    }
}

/* Which of an element's children go together. */
static void find_same(struct reading *r, uint32_t parent)
{
    for (uint32_t i = r->nodes[parent].child; i != NONE; i = r->nodes[i].next) {
        struct name *name = &r->names[r->nodes[i].name];

        if (name->parent == parent) {
            r->nodes[name->last].next_same = i;
            r->nodes[i].is_later = true;
        }
        name->parent = parent;
        name->last = i;
    }
}

static void on_end(void *context, const XML_Char *name)
{
    struct reading *r = context;
    struct open_element *open;
    struct str text;

    (void)name;
    if (r->result != RESULT_OK) {
        return;
    }
    open = &r->open[--r->depth];
    text = buf_view(&open->text);
    if (r->nodes[open->node].child != NONE) {
        text = str_trim(text);
        find_same(r, open->node);
    }
    if (text.len) {
        set_text(r, open->node, text);
    }
    if (open->text.cap > TEXT_KEPT_BYTES) {
        buf_release(&open->text);
    }
}

static void on_text(void *context, const XML_Char *text, int len)
{
    struct reading *r = context;

    if (r->result == RESULT_OK && r->depth && may_use(r, (size_t)len) &&
        buf_append(&r->open[r->depth - 1].text, text, (size_t)len) != RESULT_OK) {
        fail(r, RESULT_NOMEM, "no memory");
    }
}

/* --- what is refused ------------------------------------------------------------------------------------------ */

static void on_entity(void *context, const XML_Char *name, int is_parameter, const XML_Char *value,
                      int len, const XML_Char *base, const XML_Char *system_id,
                      const XML_Char *public_id, const XML_Char *notation)
{
    (void)name, (void)is_parameter, (void)value, (void)len, (void)base, (void)system_id;
    (void)public_id, (void)notation;
    fail(context, RESULT_DENIED,
         "is XML that declares entities: these can hide or multiply text, and are not read");
}

static void on_skipped(void *context, const XML_Char *name, int is_parameter)
{
    struct reading *r = context;
    char why[XML_WHY_MAX];

    if (!is_parameter) {
        snprintf(why, sizeof why, "is XML that uses the entity &%.40s;, which it does not declare",
                 name);
        fail(r, RESULT_DENIED, why);
    }
}

static int on_encoding(void *context, const XML_Char *name, XML_Encoding *encoding)
{
    (void)context;
    *encoding = (XML_Encoding){ .data = NULL };
    return body_charset_map(str_view(name), encoding->map) ? XML_STATUS_OK : XML_STATUS_ERROR;
}

/* --- JSON ------------------------------------------------------------------------------------------------------ */

struct writing {
    const struct reading *r;
    struct buf *out;
    enum result result;
};

static void put(struct writing *w, struct str text)
{
    w->result = w->result == RESULT_OK ? buf_append_str(w->out, text) : w->result;
}

static void put_text(struct writing *w, struct str text)
{
    w->result = w->result == RESULT_OK ? json_text_append(w->out, text) : w->result;
}

static struct str name_of(const struct reading *r, const struct node *node)
{
    const struct name *name = &r->names[node->name];

    return (struct str){ r->names_text.data + name->at, name->len };
}

static struct str text_of(const struct reading *r, const struct node *node)
{
    return node->text_len ? (struct str){ r->texts.data + node->text_at, node->text_len } : STR("");
}

static void put_node(struct writing *w, uint32_t id);

/* A member for each name, where the first of it stands. */
static void put_members(struct writing *w, const struct node *node)
{
    const struct node *nodes = w->r->nodes;
    bool is_first = true;

    put(w, STR("{"));
    for (uint32_t i = node->child; i != NONE && w->result == RESULT_OK; i = nodes[i].next) {
        if (nodes[i].is_later) {
            continue;
        }
        put(w, is_first ? STR("") : STR(","));
        is_first = false;
        put_text(w, name_of(w->r, &nodes[i]));
        put(w, nodes[i].next_same == NONE ? STR(":") : STR(":["));
        for (uint32_t same = i; same != NONE; same = nodes[same].next_same) {
            put(w, same == i ? STR("") : STR(","));
            put_node(w, same);
        }
        put(w, nodes[i].next_same == NONE ? STR("") : STR("]"));
    }
    if (node->text_len) {
        put(w, STR(",\"#text\":"));
        put_text(w, text_of(w->r, node));
    }
    put(w, STR("}"));
}

static void put_node(struct writing *w, uint32_t id)
{
    const struct node *node = &w->r->nodes[id];

    if (w->result != RESULT_OK) {
        return;
    }
    if (node->child != NONE) {
        put_members(w, node);
    } else if (node->text_len || name_of(w->r, node).data[0] == '@') {
        put_text(w, text_of(w->r, node));
    } else {
        put(w, STR("null"));
    }
}

static enum result write_json(const struct reading *r, struct buf *out)
{
    struct writing w = { r, out, RESULT_OK };

    put(&w, STR("{"));
    put_text(&w, name_of(r, &r->nodes[0]));
    put(&w, STR(":"));
    put_node(&w, 0);
    put(&w, STR("}"));
    return w.result;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

/* Expat 2.9 has one that holds more, and calls the other deprecated. */
static unsigned long long line_of(XML_Parser parser)
{
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
    return XML_GetCurrentLineNumber64(parser);
#else
    return XML_GetCurrentLineNumber(parser);
#endif
}

static void parse(struct reading *r, struct str text)
{
    enum XML_Status status = XML_STATUS_OK;

    while (status == XML_STATUS_OK && r->result == RESULT_OK) {
        size_t len = text.len < SLICE_BYTES ? text.len : SLICE_BYTES;

        status = XML_Parse(r->parser, text.data, (int)len, len == text.len);
        if (len == text.len) {
            break;
        }
        text = (struct str){ text.data + len, text.len - len };
    }
    if (status != XML_STATUS_OK && r->result == RESULT_OK) {
        enum XML_Error code = XML_GetErrorCode(r->parser);

        r->result = code == XML_ERROR_NO_MEMORY ? RESULT_NOMEM : RESULT_INVALID;
        snprintf(r->why, XML_WHY_MAX, "is XML with a fault in line %llu: %.100s",
                 line_of(r->parser), XML_ErrorString(code));
    }
}

static bool prepare(struct reading *r, bool is_utf8)
{
    r->parser = XML_ParserCreate(is_utf8 ? "UTF-8" : NULL);
    r->buckets = malloc(BUCKETS * sizeof *r->buckets);
    r->open = calloc(XML_DEPTH_MAX, sizeof *r->open);
    if (!r->parser || !r->buckets || !r->open) {
        return false;
    }
    r->basis = 2166136261U;
    (void)os_random(&r->basis, sizeof r->basis);
    memset(r->buckets, 0xFF, BUCKETS * sizeof *r->buckets);
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetEntityDeclHandler(r->parser, on_entity);
    XML_SetSkippedEntityHandler(r->parser, on_skipped);
    XML_SetUnknownEncodingHandler(r->parser, on_encoding, NULL);
    XML_SetParamEntityParsing(r->parser, XML_PARAM_ENTITY_PARSING_NEVER);
    return true;
}

static void release(struct reading *r)
{
    if (r->parser) {
        XML_ParserFree(r->parser);
    }
    for (unsigned i = 0; r->open && i < XML_DEPTH_MAX; i++) {
        buf_release(&r->open[i].text);
    }
    free(r->open);
    free(r->buckets);
    free(r->nodes);
    free(r->names);
    buf_release(&r->names_text);
    buf_release(&r->texts);
}

enum result xml_append_json(struct str text, bool is_utf8, struct buf *out, char why[XML_WHY_MAX])
{
    struct reading r = { .max = out->max, .why = why };

    why[0] = '\0';
    if (!prepare(&r, is_utf8)) {
        r.result = RESULT_NOMEM;
    } else {
        parse(&r, text);
    }
    if (r.result == RESULT_OK) {
        r.result = write_json(&r, out);
    }
    if (r.result == RESULT_LIMIT && !why[0]) {
        snprintf(why, XML_WHY_MAX, "is XML that is larger as JSON than a body may be");
    }
    release(&r);
    return r.result;
}
