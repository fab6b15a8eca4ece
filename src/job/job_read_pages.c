/* "pages": the keys of all styles (job/page_styles.h), and which style those that were given make. */
#include "job/job_put.h"

#include "base/json_scan.h"
#include "job/job_read.h"

#include <stdlib.h>
#include <string.h>

#define PAGES(field) offsetof(struct job_pages, field)

/* --- styles --------------------------------------------------------------------------------------------- */

#define PAGE_KEY(name_, ...) .key = name_
#define PAGE_WORD(name_) .word = name_
#define PAGE_STYLE(NAME, name, CHOICE, ...) [JOB_PAGES_##NAME] = { CHOICE, __VA_ARGS__ },

const struct job_page_style job_page_styles[JOB_PAGES_KINDS] = { JOB_PAGE_STYLES(PAGE_STYLE) };

#undef PAGE_KEY
#undef PAGE_WORD
#undef PAGE_STYLE

/* "auto" or "link" */
static void add_words(struct buf *to, const char *between)
{
    size_t start = to->len;

    for (int kind = JOB_PAGES_KINDS - 1; kind > JOB_PAGES_NONE; kind--) {
        if (job_page_styles[kind].word) {
            (void)!buf_printf(to, "%s\"%s\"", to->len > start ? between : "",
                              job_page_styles[kind].word);
        }
    }
}

static void add_offers(struct buf *to)
{
    size_t start = to->len;

    for (int kind = JOB_PAGES_NONE + 1; kind < JOB_PAGES_KINDS; kind++) {
        if (job_page_styles[kind].key) {
            (void)!buf_printf(to, "%s%s", to->len > start ? ", " : "", job_page_styles[kind].offer);
        }
    }
}

/* Tells what could have been given, as the value of "pages" or within it. */
static void fault(struct job_reader *r, struct str at, const char *code)
{
    struct buf choices = { .max = 400 };

    add_offers(&choices);
    (void)!buf_append_str(&choices, STR(", or \"kind\": "));
    add_words(&choices, " or ");
    job_text_fault(&r->text, at, code, "\"pages\": want one of %.*s", STR_ARG(buf_view(&choices)));
    buf_release(&choices);
}

static void fault_word(struct job_reader *r, struct str at)
{
    struct buf choices = { .max = 400 };

    add_words(&choices, ", ");
    (void)!buf_append_str(&choices, STR(", or an object with one of "));
    add_offers(&choices);
    job_text_fault(&r->text, at, "E-CFG2", "\"pages\": want %.*s", STR_ARG(buf_view(&choices)));
    buf_release(&choices);
}

/* --- keys ----------------------------------------------------------------------------------------------- */

static void read_kind(struct job_reader *r, void *target, struct str value)
{
    struct job_pages *pages = target;
    struct str raw = json_string_raw(value);

    for (enum job_pages_kind kind = JOB_PAGES_NONE + 1; kind < JOB_PAGES_KINDS; kind++) {
        if (raw.data && job_page_styles[kind].word &&
            str_equal(raw, str_view(job_page_styles[kind].word))) {
            pages->kind = kind;
            return;
        }
    }
    fault_word(r, value);
}

static void read_first(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key key = {
        .name = "first", .kind = JOB_KEY_NUMBER, .offset = PAGES(first), .high = INT64_MAX
    };
    struct job_pages *pages = target;

    pages->has_first = true;
    job_read_value(r, &key, pages, value);
}

/* All members of the object before the star are parameters of the next request, as "cursor" with "param" "*" says. */
static void read_copy(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key key = { .name = "copy",
                                        .kind = JOB_KEY_POINTER,
                                        .offset = PAGES(next) };
    struct job_pages *pages = target;
    char *end;

    job_read_value(r, &key, pages, value);
    end = pages->next ? strrchr(pages->next, '/') : NULL;
    if (!end || strcmp(end, "/*") != 0 || end == pages->next) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"copy\": want the members of an object, as in /continue/*");
        return;
    }
    *end = '\0';
    free(pages->param);
    pages->param = str_dup(STR("*"));
    r->text.no_memory |= !pages->param;
}

/* --- writing -------------------------------------------------------------------------------------------- */

static bool is_key(const char *key, const char *name)
{
    return key && strcmp(key, name) == 0;
}

/* A field may be of several styles: it is written under the name that this one has for it. */
static bool write_of_style(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                           const void *target)
{
    const struct job_page_style *style = &job_page_styles[((const struct job_pages *)target)->kind];
    struct job_key plain = *key;

    plain.write = NULL;
    return (!is_key(style->key, key->name) && !is_key(style->needs, key->name)) ||
           job_put_key(w, to, &plain, target);
}

static bool write_kind(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                       const void *target)
{
    (void)w;
    return cjson_add_optional(to, key->name,
                              job_page_styles[((const struct job_pages *)target)->kind].word);
}

static bool write_first(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                        const void *target)
{
    const struct job_pages *pages = target;

    (void)w;
    return !pages->has_first || cjson_add_number(to, key->name, pages->first);
}

/* --- the keys ------------------------------------------------------------------------------------------- */

#define PAGE_KEY(name_, kind_, field_, help_)                                                      \
    { name_, kind_, PAGES(field_), .help = help_, .write = write_of_style },
#define PAGE_WORD(name_)
#define PAGE_STYLE_KEY(NAME, name, CHOICE, ...) CHOICE

/* clang-format off */
static const struct job_key pages_keys[] = {
    { "kind", JOB_KEY_OTHER, .read = read_kind, .write = write_kind,
      .help = "@page_words",
      .schema = JOB_JSON("enum": "@page_words") },
    JOB_PAGE_STYLES(PAGE_STYLE_KEY)
    { "first", JOB_KEY_NUMBER, PAGES(first), 0, INT64_MAX, .read = read_first, .write = write_first,
      .help = "Number of the first page (1), or its offset (0)" },
    { "size", JOB_KEY_NUMBER, PAGES(size), 1, UINT32_MAX, .help = "Records of a page" },
    { "size_param", JOB_KEY_TEXT, PAGES(size_param),
      .help = "Where the size is sent; not sent without" },
    { "total", JOB_KEY_COUNTED_AT, PAGES(total),
      .help = "JSON Pointer to the number of records, or header:X-Total-Count" },
    { "total_pages", JOB_KEY_COUNTED_AT, PAGES(total_pages),
      .help = "JSON Pointer to the number of pages, or header:Name" },
    { "has_more", JOB_KEY_POINTER, PAGES(has_more),
      .help = "JSON Pointer to a boolean, false on the last page" },
    { "is_last", JOB_KEY_POINTER, PAGES(is_last),
      .help = "JSON Pointer to a boolean, true on the last page" },
    { "copy", JOB_KEY_OTHER, .read = read_copy,
      .help = "All members of this object are parameters of the next request: /continue/*",
      .schema = JOB_JSON("type": "string", "pattern": "^/.*/\\*$") },
    { "until", JOB_KEY_POINTER, PAGES(until),
      .help = "JSON Pointer from a record to a moment, a day or a number: newest first, the listing ends with "
              "the page whose last record is before older_than" },
    { "older_than", JOB_KEY_TEXT, PAGES(older_than),
      .help = "Where until ends the listing: 2026-01-31, 2026-01-31T12:00:00Z, or a number" },
    { "max", JOB_KEY_NUMBER, PAGES(max), 1, UINT32_MAX, .help = "Pages of one listing at most" },
};
/* clang-format on */

#undef PAGE_KEY
#undef PAGE_WORD
#undef PAGE_STYLE_KEY

const struct job_keys job_pages_keys =
    JOB_KEYS("pages", pages_keys, .help = "How further pages are found.");

const char *job_pages_text(const struct job_pages *pages, const char *key)
{
    const struct job_key *row = &pages_keys[job_key_index(&job_pages_keys, key)];

    return *(char *const *)(const void *)((const char *)pages + row->offset);
}

/* --- the style ------------------------------------------------------------------------------------------ */

static bool has(uint64_t seen, const char *key)
{
    return job_key_seen(&job_pages_keys, seen, key);
}

/* Its key is given, and is not there for another style that needs it. */
static bool is_chosen(uint64_t seen, const struct job_page_style *style)
{
    bool chosen = has(seen, style->key);

    for (enum job_pages_kind kind = JOB_PAGES_NONE + 1; chosen && kind < JOB_PAGES_KINDS; kind++) {
        const struct job_page_style *other = &job_page_styles[kind];

        chosen = !other->needs || !has(seen, other->key) ||
                 !str_equal(str_view(other->needs), str_view(style->key));
    }
    return chosen;
}

static void check_pairs(struct job_reader *r, const struct job_page_style *style, uint64_t seen,
                        struct str value)
{
    if (style->needs && !has(seen, style->needs) && !has(seen, "copy")) {
        job_text_fault(&r->text, value, "E-CFG4", "\"pages\": \"%s\" wants \"%s\", %s", style->key,
                       style->needs, style->needs_for);
    }
    if (has(seen, "has_more") && has(seen, "is_last")) {
        job_text_fault(&r->text, value, "E-CFG8",
                       "\"pages\": want \"has_more\" or \"is_last\", not both");
    }
    if (has(seen, "until") != has(seen, "older_than")) {
        job_text_fault(&r->text, value, "E-CFG4",
                       "\"pages\": \"until\" (where in a record) and \"older_than\" (a date or "
                       "number) want each other");
    }
    if (has(seen, "size_param") && !has(seen, "size")) {
        job_text_fault(&r->text, value, "E-CFG4", "\"pages\": \"size_param\" wants \"size\"");
    }
}

static void settle(struct job_reader *r, struct job_pages *pages, uint64_t seen, struct str value)
{
    enum job_pages_kind chosen = pages->kind;
    int count = has(seen, "kind") + has(seen, "copy");

    for (enum job_pages_kind kind = JOB_PAGES_NONE + 1; kind < JOB_PAGES_KINDS; kind++) {
        if (is_chosen(seen, &job_page_styles[kind])) {
            chosen = kind;
            count++;
        }
    }
    if (count != 1) {
        fault(r, value, count ? "E-CFG8" : "E-CFG4");
        return;
    }
    chosen = has(seen, "copy") ? JOB_PAGES_CURSOR : chosen;
    check_pairs(r, &job_page_styles[chosen], seen, value);
    pages->kind = chosen;
    if (!pages->has_first) {
        pages->first = job_page_styles[chosen].first;
    }
}

void job_read_pages(struct job_reader *r, void *target, struct str value)
{
    struct job_endpoint *endpoint = target;
    size_t faults = r->text.faults->count;
    uint64_t seen;

    r->places[r->job->endpoint_count - 1].pages = value;
    if (json_type_of(value) == JSON_STRING) {
        read_kind(r, &endpoint->pages, value);
        return;
    }
    seen = job_read_object(r, &job_pages_keys, &endpoint->pages, value);
    if (r->text.faults->count == faults) {
        settle(r, &endpoint->pages, seen, value);
    }
}
