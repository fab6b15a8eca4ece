#include "engine/limit_told.h"

#include "base/buf.h"
#include "base/json_scan.h"

#include <limits.h>
#include <stdio.h>

#define DEPTH_MAX 8

static enum run_limit limit_of(struct str raw)
{
    for (int limit = LIMIT_CAP; limit < LIMIT_COUNT; limit++) {
        if (json_raw_equal(raw, str_view(run_limit_word((enum run_limit)limit)))) {
            return (enum run_limit)limit;
        }
    }
    return LIMIT_NONE;
}

static void copy_words(struct str raw, char words[LIMIT_TEXT_MAX])
{
    struct buf plain = { 0 };

    if (json_unescape(&plain, raw, NULL) == RESULT_OK) {
        snprintf(words, LIMIT_TEXT_MAX, "%.*s", STR_ARG(buf_view(&plain)));
    }
    buf_release(&plain);
}

static bool copy_count(struct str value, unsigned *count)
{
    uint64_t number;

    if (!str_to_u64(str_trim(value), &number) || number > UINT_MAX) {
        return false;
    }
    *count = (unsigned)number;
    return true;
}

static void read_line(struct str line, struct limit_told *told)
{
    struct str at = STR_NONE, kind = STR_NONE, word = STR_NONE, words = STR_NONE, key, value;
    struct str cap = STR_NONE, in_flight = STR_NONE;
    struct json_walk walk;
    enum run_limit limit;

    if (!json_check(line, DEPTH_MAX, NULL)) {
        return;
    }
    json_walk_begin(&walk, line);
    while (json_walk_next(&walk, &key, &value)) {
        struct str raw = json_string_raw(value);

        at = str_equal(key, STR("at")) ? raw : at;
        kind = str_equal(key, STR("event")) ? raw : kind;
        word = str_equal(key, STR("limit")) ? raw : word;
        words = str_equal(key, STR("words")) ? raw : words;
        cap = str_equal(key, STR("cap")) ? value : cap;
        in_flight = str_equal(key, STR("in_flight")) ? value : in_flight;
    }
    if (str_equal(kind, STR("start"))) {
        *told = (struct limit_told){ .limit = LIMIT_NONE }; /* another session's, so far */
    }
    if (str_equal(kind, STR("cap")) || str_equal(kind, STR("sample"))) {
        told->has_cap |= copy_count(cap, &told->cap);
        (void)copy_count(in_flight, &told->in_flight);
    }
    limit = limit_of(word);
    if (limit == LIMIT_NONE || at.len + 1 != sizeof told->at) {
        return;
    }
    if (words.data) {
        copy_words(words, told->words);
    } else if (limit != told->limit) {
        snprintf(told->words, sizeof told->words, "%s", run_limit_word(limit));
    }
    told->limit = limit;
    snprintf(told->at, sizeof told->at, "%.*s", STR_ARG(at));
}

bool limit_told_find(struct str lines, struct limit_told *told)
{
    *told = (struct limit_told){ .limit = LIMIT_NONE };
    while (lines.len) {
        read_line(str_cut(&lines, '\n'), told);
    }
    return told->limit != LIMIT_NONE;
}
