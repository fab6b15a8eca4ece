#include "engine/fleet_line.h"

#include "base/json_scan.h"
#include "base/json_write.h"
#include "job/job.h"
#include "plan/sort_key.h"

#include <string.h>

#define DEPTH_MAX 2
#define VARS_DEPTH_MAX 64

enum { TEXT_KEY, TEXT_URL, TEXT_BODY, TEXT_VARS, TEXT_PLACE, TEXT_COUNT };
enum { NUMBER_ID, NUMBER_ENDPOINT, NUMBER_COUNT };
#define PAGE_NUMBERS 16
#define VARS_MAX 65536 /* of a request that an answer led to, see plan/extract_links.c */
#define ESCAPED 6      /* bytes of JSON for one */

/* So any found request can travel, and none has to be left out. */
_Static_assert(ESCAPED *(JOB_BODY_MAX + 2 * JOB_URL_MAX + VARS_MAX) + 2 * SORT_KEY_MAX + 1000 <
                   FLEET_LINE_MAX,
               "a line has room for the longest found request");

/* --- the page: in the order of the ledger's columns -------------------------------------------------- */

static void page_numbers(const struct page_at *p, uint64_t numbers[PAGE_NUMBERS])
{
    const uint64_t all[PAGE_NUMBERS] = {
        p->chain,        p->number,     p->ordinal,         p->total,   p->expected, p->size,
        p->empty,        p->kind,       p->named_by_crc32c, p->came,    p->previous, p->most,
        p->records_type, p->records_at, p->basis,           p->repeats,
    };

    for (size_t i = 0; i < PAGE_NUMBERS; i++) {
        numbers[i] = all[i];
    }
}

/* False: some number is none that a page has. */
static bool page_of(const uint64_t n[PAGE_NUMBERS], struct page_at *p)
{
    static const uint64_t most[PAGE_NUMBERS] = {
        INT64_MAX,   UINT64_MAX,          UINT32_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX,
        UINT32_MAX,  JOB_PAGES_KINDS - 1, UINT32_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX,
        JSON_OBJECT, UINT32_MAX,          PAGE_PART,  UINT32_MAX,
    };

    for (size_t i = 0; i < PAGE_NUMBERS; i++) {
        if (n[i] > most[i]) {
            return false;
        }
    }
    *p = (struct page_at){
        .chain = n[0],
        .number = n[1],
        .ordinal = (uint32_t)n[2],
        .total = n[3],
        .expected = (uint32_t)n[4],
        .size = (uint32_t)n[5],
        .empty = (uint32_t)n[6],
        .kind = (uint32_t)n[7],
        .named_by_crc32c = (uint32_t)n[8],
        .came = n[9],
        .previous = (uint32_t)n[10],
        .most = (uint32_t)n[11],
        .records_type = (uint32_t)n[12],
        .records_at = (uint32_t)n[13],
        .basis = (uint32_t)n[14],
        .repeats = (uint32_t)n[15],
    };
    return true;
}

/* --- writing --------------------------------------------------------------------------------------------- */

static void write_optional(struct json_writer *w, struct str text)
{
    if (text.data) {
        json_write_text(w, NULL, text);
    } else {
        json_write_null(w, NULL);
    }
}

static void write_place(struct json_writer *w, struct str place)
{
    static const char hex[] = "0123456789abcdef";
    char text[2 * SORT_KEY_MAX];
    size_t len = place.len < SORT_KEY_MAX ? place.len : SORT_KEY_MAX;

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = hex[(uint8_t)place.data[i] >> 4];
        text[2 * i + 1] = hex[(uint8_t)place.data[i] & 15];
    }
    json_write_text(w, NULL, (struct str){ text, 2 * len });
}

enum result fleet_line_write(const struct request *request, struct buf *out)
{
    struct json_writer w = json_write_begin(out);
    uint64_t numbers[PAGE_NUMBERS];

    json_write_array(&w, NULL);
    json_write_uint(&w, NULL, request->id);
    json_write_uint(&w, NULL, request->endpoint);
    json_write_text(&w, NULL, request->key);
    json_write_text(&w, NULL, request->url);
    write_optional(&w, request->body);
    write_optional(&w, request->vars);
    write_place(&w, request->sort_key);
    page_numbers(&request->page, numbers);
    for (size_t i = 0; i < PAGE_NUMBERS; i++) {
        json_write_uint(&w, NULL, numbers[i]);
    }
    json_write_array_end(&w);
    return w.result;
}

/* --- reading --------------------------------------------------------------------------------------------- */

struct line {
    uint64_t numbers[NUMBER_COUNT + PAGE_NUMBERS];
    struct buf texts[TEXT_COUNT];
    bool has[TEXT_COUNT];
};

static bool take_text(struct str value, bool may_lack, struct buf *text, bool *has)
{
    if (may_lack && json_type_of(value) == JSON_NULL) {
        return true;
    }
    *has = json_type_of(value) == JSON_STRING &&
           json_unescape(text, json_string_raw(value), NULL) == RESULT_OK &&
           !memchr(text->data ? text->data : "", '\0', text->len) && buf_cstr(text);
    return *has;
}

static bool take_values(struct str text, struct line *line)
{
    struct json_walk walk;
    struct str value;
    size_t numbers = 0, texts = 0;

    json_walk_begin(&walk, text);
    for (size_t i = 0; i < NUMBER_COUNT + TEXT_COUNT + PAGE_NUMBERS; i++) {
        bool is_text = i >= NUMBER_COUNT && i < NUMBER_COUNT + TEXT_COUNT;

        if (!json_walk_next(&walk, NULL, &value)) {
            return false;
        }
        if (is_text) {
            bool may_lack = texts == TEXT_BODY || texts == TEXT_VARS;

            if (!take_text(value, may_lack, &line->texts[texts], &line->has[texts])) {
                return false;
            }
            texts++;
        } else if (json_type_of(value) != JSON_NUMBER ||
                   !str_to_u64(value, &line->numbers[numbers++])) {
            return false;
        }
    }
    return !json_walk_next(&walk, NULL, &value);
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool place_of(struct str text, struct sort_key *key)
{
    key->len = text.len / 2;
    if (text.len % 2 || key->len <= SORT_KEY_SEED_BYTES || key->len > SORT_KEY_MAX) {
        return false;
    }
    for (size_t i = 0; i < key->len; i++) {
        int high = digit_of(text.data[2 * i]), low = digit_of(text.data[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        key->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool are_sound(const struct line *line, size_t endpoint_count)
{
    struct str vars = buf_view(&line->texts[TEXT_VARS]);

    return line->numbers[NUMBER_ID] && line->numbers[NUMBER_ID] <= INT64_MAX &&
           line->numbers[NUMBER_ENDPOINT] < endpoint_count && line->texts[TEXT_KEY].len &&
           line->texts[TEXT_URL].len && line->texts[TEXT_URL].len <= JOB_URL_MAX &&
           (!line->has[TEXT_VARS] ||
            (json_check(vars, VARS_DEPTH_MAX, NULL) && json_type_of(vars) == JSON_OBJECT));
}

static struct str text_of(const struct line *line, int which)
{
    return line->has[which] ? buf_view(&line->texts[which]) : STR_NONE;
}

static struct request *request_of(const struct line *line)
{
    struct sort_key place;
    struct page_at page;
    struct request *request;

    if (!place_of(text_of(line, TEXT_PLACE), &place) ||
        !page_of(line->numbers + NUMBER_COUNT, &page)) {
        return NULL;
    }
    request = request_make(line->numbers[NUMBER_ID], (uint32_t)line->numbers[NUMBER_ENDPOINT],
                           &(struct request_texts){ .key = text_of(line, TEXT_KEY),
                                                    .url = text_of(line, TEXT_URL),
                                                    .body = text_of(line, TEXT_BODY),
                                                    .vars = text_of(line, TEXT_VARS),
                                                    .sort_key = sort_key_view(&place) });
    if (request) {
        request->page = page;
    }
    return request;
}

struct request *fleet_line_read(struct str text, size_t endpoint_count)
{
    struct line line = { .numbers = { 0 } };
    struct request *request = NULL;

    for (size_t i = 0; i < TEXT_COUNT; i++) {
        buf_init(&line.texts[i], FLEET_LINE_MAX);
    }
    if (text.len <= FLEET_LINE_MAX && json_check(text, DEPTH_MAX, NULL) &&
        json_type_of(text) == JSON_ARRAY && take_values(text, &line) &&
        are_sound(&line, endpoint_count)) {
        request = request_of(&line);
    }
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        buf_release(&line.texts[i]);
    }
    return request;
}
