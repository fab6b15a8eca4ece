/*
 * Rounds of polls, in the ledger: how far they are, and by what a request's next body is told to be its
 * last one again.
 */
#include "store/ledger_sql.h"

#include "plan/sort_key.h"

#include <stdio.h>
#include <string.h>

#define ROUND_BYTES 4 /* a place begins with the round, the seed follows; see plan/sort_key.h */
#define SEED_BYTES 8

enum result ledger_read_rounds(struct ledger *ledger, struct rounds_kept *rounds, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_ROUNDS, &result, err);

    *rounds = (struct rounds_kept){ .begun = 0 };
    while (st && ledger_next_row(ledger, st, &result, err)) {
        struct str name = ledger_column_text(st, 0);
        uint64_t value = ledger_column_u64(st, 1);

        if (str_equal(name, STR("poll_started_us"))) {
            rounds->started_us = (int64_t)value;
        } else if (str_equal(name, STR("poll_begun"))) {
            rounds->begun = value;
        } else if (str_equal(name, STR("poll_slot"))) {
            rounds->slot = value;
        } else if (str_equal(name, STR("poll_skipped"))) {
            rounds->skipped = value;
        } else if (str_equal(name, STR("poll_put"))) {
            rounds->put = value;
        } else if (str_equal(name, STR("poll_before_us"))) {
            rounds->before_us = (int64_t)value;
        } else if (str_equal(name, STR("poll_chosen"))) {
            rounds->is_chosen = value != 0;
        }
    }
    return result;
}

enum result ledger_put_rounds(struct ledger *ledger, const struct rounds_kept *rounds,
                              struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_ROUNDS, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, rounds->started_us);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)rounds->begun);
        sqlite3_bind_int64(st, 3, (sqlite3_int64)rounds->slot);
        sqlite3_bind_int64(st, 4, (sqlite3_int64)rounds->skipped);
        sqlite3_bind_int64(st, 5, (sqlite3_int64)rounds->put);
        sqlite3_bind_int64(st, 6, rounds->before_us);
        sqlite3_bind_int64(st, 7, rounds->is_chosen);
        result = ledger_step(ledger, st, "noting a round of polls", err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

/* Whatever the round: endpoint, URL and body, of a seed its number (two may have one URL). What is found is found once
 * in a round, by whichever seed leads to it first, and may be moved to another while it is asked. */
enum result ledger_digest_polled(uint32_t endpoint, struct str place,
                                 const struct request_texts *texts, uint8_t digest[DIGEST_BYTES])
{
    struct buf text = { .max = 0 };
    struct str seed = { place.data + ROUND_BYTES, SEED_BYTES };
    enum result result = buf_printf(&text, "%u ", endpoint);

    if (result == RESULT_OK && place.len == SORT_KEY_SEED_BYTES) {
        result = buf_append_str(&text, seed);
    }
    if (result == RESULT_OK) {
        result = buf_append_str(&text, texts->url);
    }
    if (result == RESULT_OK) {
        result = buf_append_char(&text, '\0');
    }
    if (result == RESULT_OK) {
        result = buf_append_str(&text, texts->body);
    }
    if (result == RESULT_OK) {
        digest_of(text.data, text.len, digest);
    }
    buf_release(&text);
    return result;
}

static enum result digest_of_settled(const struct settlement *settlement,
                                     uint8_t digest[DIGEST_BYTES], struct err *err)
{
    const struct request *request = settlement->response->request;
    struct request_texts texts = { .url = request->url, .body = request->body };
    struct sort_key place;

    sort_key_of(request, &place);
    return ledger_digest_polled(request->endpoint, sort_key_view(&place), &texts, digest) ==
                   RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "noting a poll");
}

/* Of a further round: whose line has the body that did not change, as `polled` says now. */
static enum result put_same(struct ledger *ledger, const struct settlement *settlement,
                            const uint8_t what[DIGEST_BYTES], struct err *err)
{
    enum result result = RESULT_OK;
    sqlite3_stmt *st = settlement->unchanged && ledger->is_again
                           ? ledger_statement(ledger, SQL_PUT_SAME, &result, err)
                           : NULL;

    if (st) {
        sqlite3_bind_blob(st, 1, what, DIGEST_BYTES, SQLITE_STATIC);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)settlement->response->request->id);
        result = ledger_step(ledger, st, "noting a poll", err);
    }
    return result;
}

enum result ledger_put_polled(struct ledger *ledger, const struct settlement *settlement,
                              struct err *err)
{
    const struct request *request = settlement->response->request;
    uint8_t what[DIGEST_BYTES];
    enum result result = digest_of_settled(settlement, what, err);
    sqlite3_stmt *st =
        result == RESULT_OK ? ledger_statement(ledger, SQL_PUT_POLLED, &result, err) : NULL;

    if (st) {
        sqlite3_bind_blob(st, 1, what, DIGEST_BYTES, SQLITE_STATIC);
        ledger_bind_optional(st, 2, settlement->poll.etag);
        sqlite3_bind_blob(st, 3, settlement->poll.digest, DIGEST_BYTES, SQLITE_STATIC);
        if (settlement->unchanged) { /* the line of before has it */
            sqlite3_bind_null(st, 4);
        } else {
            sqlite3_bind_int64(st, 4, (sqlite3_int64)request->id);
        }
        sqlite3_bind_int64(st, 5, settlement->response->fetched_at_us);
        result = ledger_step(ledger, st, "noting a poll", err);
    }
    if (result == RESULT_OK) {
        result = put_same(ledger, settlement, what, err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_touch_polled(struct ledger *ledger, const struct settlement *settlement,
                                struct err *err)
{
    uint8_t what[DIGEST_BYTES];
    enum result result = digest_of_settled(settlement, what, err);
    sqlite3_stmt *st =
        result == RESULT_OK ? ledger_statement(ledger, SQL_TOUCH_POLLED, &result, err) : NULL;

    if (st) {
        sqlite3_bind_blob(st, 1, what, DIGEST_BYTES, SQLITE_STATIC);
        sqlite3_bind_int64(st, 2, settlement->response->fetched_at_us);
        result = ledger_step(ledger, st, "noting a poll", err);
    }
    if (result == RESULT_OK) {
        result = put_same(ledger, settlement, what, err);
    }
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}

enum result ledger_is_unchanged(struct ledger *ledger, const struct settlement *settlement,
                                bool *unchanged, struct err *err)
{
    uint8_t what[DIGEST_BYTES];
    enum result result = digest_of_settled(settlement, what, err);
    sqlite3_stmt *st =
        result == RESULT_OK ? ledger_statement(ledger, SQL_POLLED, &result, err) : NULL;

    *unchanged = false;
    if (!st) {
        return result;
    }
    sqlite3_bind_blob(st, 1, what, DIGEST_BYTES, SQLITE_STATIC);
    while (ledger_next_row(ledger, st, &result, err)) {
        const void *digest = sqlite3_column_blob(st, 1);

        *unchanged = sqlite3_column_bytes(st, 1) == DIGEST_BYTES && digest &&
                     memcmp(digest, settlement->poll.digest, DIGEST_BYTES) == 0;
    }
    return result;
}

enum result ledger_read_etag(struct ledger *ledger, uint32_t endpoint,
                             const struct request_texts *texts, char etag[LEDGER_ETAG_MAX],
                             struct err *err)
{
    static const char first_round[ROUND_BYTES];
    uint8_t what[DIGEST_BYTES];
    enum result result;
    sqlite3_stmt *st;

    etag[0] = '\0';
    if (texts->sort_key.len < ROUND_BYTES ||
        memcmp(texts->sort_key.data, first_round, ROUND_BYTES) == 0) {
        return RESULT_OK;
    }
    if (ledger_digest_polled(endpoint, texts->sort_key, texts, what) != RESULT_OK) {
        return err_nomem(err, "noting what was found");
    }
    st = ledger_statement(ledger, SQL_POLLED, &result, err);
    if (!st) {
        return result;
    }
    sqlite3_bind_blob(st, 1, what, DIGEST_BYTES, SQLITE_STATIC);
    while (ledger_next_row(ledger, st, &result, err)) {
        struct str text = ledger_column_text(st, 0);

        if (text.len < LEDGER_ETAG_MAX) {
            snprintf(etag, LEDGER_ETAG_MAX, "%.*s", STR_ARG(text));
        }
    }
    return result;
}

/* The plan has just gained it, and it has not been asked at all. */
static enum result is_unasked(struct ledger *ledger, uint32_t endpoint, struct str place,
                              bool *is_unasked, struct err *err)
{
    char first[SORT_KEY_SEED_BYTES] = { 0 };
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_UNASKED_AT, &result, err);

    if (!st) {
        return result;
    }
    memcpy(first + ROUND_BYTES, place.data + ROUND_BYTES, sizeof first - ROUND_BYTES);
    sqlite3_bind_int64(st, 1, endpoint);
    sqlite3_bind_blob(st, 2, first, sizeof first, SQLITE_TRANSIENT);
    while (ledger_next_row(ledger, st, &result, err)) {
        *is_unasked = true;
    }
    return result;
}

static enum result is_fresh(struct ledger *ledger, uint32_t endpoint,
                            const struct request_texts *texts, int64_t before_us, bool *is_fresh,
                            struct err *err)
{
    uint8_t what[DIGEST_BYTES];
    enum result result = ledger_digest_polled(endpoint, texts->sort_key, texts, what);
    sqlite3_stmt *st;

    if (result != RESULT_OK) {
        return err_nomem(err, "beginning a round");
    }
    st = ledger_statement(ledger, SQL_POLLED, &result, err);
    if (!st) {
        return result;
    }
    sqlite3_bind_blob(st, 1, what, DIGEST_BYTES, SQLITE_STATIC);
    while (ledger_next_row(ledger, st, &result, err)) {
        *is_fresh = sqlite3_column_int64(st, 2) >= before_us;
    }
    return result;
}

static enum result is_not_chosen(struct ledger *ledger, struct str place, bool *is_not,
                                 struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_AGAIN_SEED, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_blob(st, 1, place.data + ROUND_BYTES, SEED_BYTES, SQLITE_STATIC);
    *is_not = true;
    while (ledger_next_row(ledger, st, &result, err)) {
        *is_not = false;
    }
    return result;
}

enum result ledger_is_left_out(struct ledger *ledger, uint32_t endpoint,
                               const struct request_texts *texts, const struct rounds_kept *rounds,
                               bool *left_out, struct err *err)
{
    enum result result;

    *left_out = false;
    if (!ledger->is_again || texts->sort_key.len != SORT_KEY_SEED_BYTES) {
        return RESULT_OK;
    }
    result = is_unasked(ledger, endpoint, texts->sort_key, left_out, err);
    if (result == RESULT_OK && !*left_out && rounds && rounds->is_chosen) {
        result = is_not_chosen(ledger, texts->sort_key, left_out, err);
    }
    return result == RESULT_OK && !*left_out && rounds && rounds->before_us
               ? is_fresh(ledger, endpoint, texts, rounds->before_us, left_out, err)
               : result;
}
