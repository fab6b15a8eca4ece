/*
 * What answers gave rise to, in the ledger: written with the page that named it, read when its turn
 * comes. It may be millions of rows, of which nobody ever holds more than a few hundred.
 */
#include "store/ledger_sql.h"

#include "base/digest.h"
#include "plan/sort_key.h"

#include <stdio.h>
#include <string.h>

#define ROUND_BYTES 4 /* a sort key begins with the round, see plan/sort_key.h */

/* ---- writing ---- */

/* One that is repeated on purpose is another. */
enum result ledger_digest_found(const struct request_texts *texts, const struct page_at *page,
                                struct buf *scratch, uint8_t digest[DIGEST_BYTES])
{
    static const char first_round[ROUND_BYTES];
    enum result result;

    buf_reset(scratch);
    result =
        buf_append(scratch, texts->sort_key.len >= ROUND_BYTES ? texts->sort_key.data : first_round,
                   ROUND_BYTES);
    if (result == RESULT_OK) {
        result = buf_append_str(scratch, texts->url);
    }
    if (result == RESULT_OK) {
        result = buf_append_char(scratch, '\0');
    }
    if (result == RESULT_OK) {
        result = buf_append_str(scratch, texts->body);
    }
    if (result == RESULT_OK && page->repeats) {
        result = buf_printf(scratch, "%c%u", '\0', (unsigned)page->repeats);
    }
    if (result == RESULT_OK) {
        digest_of(scratch->data, scratch->len, digest);
    }
    return result;
}

void ledger_bind_found(sqlite3_stmt *st, uint32_t endpoint, const struct request_texts *texts,
                       const struct page_at *page, const uint8_t digest[DIGEST_BYTES])
{
    sqlite3_bind_int64(st, 2, endpoint);
    sqlite3_bind_blob(st, 3, digest, DIGEST_BYTES, SQLITE_STATIC);
    sqlite3_bind_blob(st, 4, texts->sort_key.data, (int)texts->sort_key.len, SQLITE_STATIC);
    ledger_bind_text(st, 5, texts->key);
    ledger_bind_text(st, 6, texts->url);
    ledger_bind_optional(st, 7, texts->body);
    ledger_bind_optional(st, 8, texts->vars);
    ledger_bind_optional(st, 9, texts->etag);
    if (page->chain) {
        sqlite3_bind_int64(st, 10, (sqlite3_int64)page->chain);
    } else {
        sqlite3_bind_null(st, 10);
    }
    /* All 64 bits, whether SQLite takes the first one for a sign or not. */
    sqlite3_bind_int64(st, 11, (sqlite3_int64)page->number);
    sqlite3_bind_int64(st, 12, page->ordinal);
    sqlite3_bind_int64(st, 13, (sqlite3_int64)page->total);
    sqlite3_bind_int64(st, 14, page->expected);
    sqlite3_bind_int64(st, 15, page->size);
    sqlite3_bind_int64(st, 16, page->empty);
    sqlite3_bind_int64(st, 17, page->kind);
    sqlite3_bind_int64(st, 18, page->named_by_crc32c);
    sqlite3_bind_int64(st, 19, (sqlite3_int64)page->came);
    sqlite3_bind_int64(st, 20, page->previous);
    sqlite3_bind_int64(st, 21, page->most);
    sqlite3_bind_int64(st, 22, page->records_type);
    sqlite3_bind_int64(st, 23, page->records_at);
    sqlite3_bind_int64(st, 24, page->basis);
    sqlite3_bind_int64(st, 25, page->repeats);
}

static enum result put_note(struct ledger *ledger, uint64_t request, enum page_note_kind kind,
                            struct str text, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_PAGE_NOTE, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)request);
        sqlite3_bind_int(st, 2, (int)kind);
        ledger_bind_text(st, 3, text);
        result = ledger_step(ledger, st, "noting a page", err);
    }
    return result;
}

/* A row that has the digest already. */
struct known {
    uint64_t id, chain;
    uint32_t ordinal;
    struct sort_key sort_key;
};

static void read_key(struct sort_key *key, sqlite3_stmt *st, int column)
{
    const void *bytes = sqlite3_column_blob(st, column);
    size_t len = (size_t)sqlite3_column_bytes(st, column);

    key->len = len < sizeof key->bytes ? len : sizeof key->bytes;
    if (key->len) {
        memcpy(key->bytes, bytes, key->len);
    }
}

static enum result look(struct ledger *ledger, uint32_t endpoint,
                        const uint8_t digest[DIGEST_BYTES], struct known *known, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_FOUND_LOOK, &result, err);

    *known = (struct known){ .id = 0 };
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, endpoint);
    sqlite3_bind_blob(st, 2, digest, DIGEST_BYTES, SQLITE_STATIC);
    while (ledger_next_row(ledger, st, &result, err)) {
        known->id = ledger_column_u64(st, 0);
        known->chain = ledger_column_u64(st, 1);
        known->ordinal = (uint32_t)ledger_column_u64(st, 2);
        read_key(&known->sort_key, st, 3);
    }
    return result;
}

/* A page that was found before: by another page of its listing, which thereby runs in a circle? The
 * same page named again in the same way is none: an answer that was asked for twice. */
static enum result note_if_back(struct ledger *ledger, struct settlement *settlement,
                                const struct discovered *found, const struct known *known,
                                struct err *err)
{
    const struct request *by = settlement->response->request;
    struct str key = found->texts.key;
    char text[REQUEST_REASON_MAX];

    if (!found->page.ordinal || known->ordinal == found->page.ordinal ||
        (known->id != found->page.chain && known->chain != found->page.chain)) {
        return RESULT_OK;
    }
    snprintf(text, sizeof text, "the next page is one that was asked before: %.*s",
             (int)(key.len < 80 ? key.len : 80), key.data);
    settlement->discoveries.page.end = PAGE_END_BACK;
    return put_note(ledger, by->id, PAGE_NOTE_BACK, str_view(text), err);
}

/* The first sort key after all that begin with it. */
static void end_of(const struct sort_key *key, struct sort_key *end)
{
    *end = *key;
    while (end->len && ++end->bytes[end->len - 1] == 0) {
        end->len--;
    }
}

static bool descends(const struct ledger_plan *plan, uint32_t endpoint, uint32_t from)
{
    while (endpoint != from && plan->parents[endpoint] != endpoint) {
        endpoint = plan->parents[endpoint];
    }
    return endpoint == from;
}

static enum result move_places(struct ledger *ledger, enum statement which, uint32_t endpoint,
                               const struct sort_key *from, const struct sort_key *to,
                               struct str vars, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, which, &result, err);
    struct sort_key end;

    if (!st) {
        return result;
    }
    end_of(from, &end);
    sqlite3_bind_int64(st, 1, endpoint);
    sqlite3_bind_blob(st, 2, from->bytes, (int)from->len, SQLITE_STATIC);
    sqlite3_bind_blob(st, 3, end.bytes, (int)end.len, SQLITE_STATIC);
    sqlite3_bind_blob(st, 4, to->bytes, (int)to->len, SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)from->len + 1);
    ledger_bind_optional(st, 6, vars);
    return ledger_step(ledger, st, "moving what was found", err);
}

/* All that was found by what stood at `from`, and by what that found, goes with it to `to`. */
static enum result move_subtree(struct ledger *ledger, uint32_t endpoint,
                                const struct sort_key *from, const struct sort_key *to,
                                struct str vars, struct err *err)
{
    enum result result = RESULT_OK;

    for (uint32_t i = 0; i < ledger->plan->endpoint_count && result == RESULT_OK; i++) {
        if (!descends(ledger->plan, i, endpoint)) {
            continue;
        }
        result = move_places(ledger, SQL_FOUND_MOVE_SUBTREE, i, from, to, vars, err);
        if (result == RESULT_OK && ledger->is_shared) {
            result = move_places(ledger, SQL_ALSO_MOVE_SUBTREE, i, from, to, vars, err);
        }
    }
    return result;
}

static void copy_key(struct sort_key *to, struct str from)
{
    to->len = from.len < sizeof to->bytes ? from.len : sizeof to->bytes;
    if (to->len) {
        memcpy(to->bytes, from.data, to->len);
    }
}

/* It was found with a lesser sort key than before. */
static enum result move(struct ledger *ledger, uint32_t endpoint, const struct request_texts *texts,
                        const struct page_at *page, const struct known *known,
                        const uint8_t digest[DIGEST_BYTES], struct err *err)
{
    enum result result =
        ledger_put_also_before(ledger, known->id, sort_key_view(&known->sort_key), err);
    sqlite3_stmt *st =
        result == RESULT_OK ? ledger_statement(ledger, SQL_FOUND_MOVE, &result, err) : NULL;
    struct sort_key to;

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)known->id);
    ledger_bind_found(st, endpoint, texts, page, digest);
    result = ledger_step(ledger, st, "noting what was found", err);
    copy_key(&to, texts->sort_key);
    return result == RESULT_OK
               ? move_subtree(ledger, endpoint, &known->sort_key, &to, texts->vars, err)
               : result;
}

enum result ledger_put_found(struct ledger *ledger, uint32_t endpoint,
                             const struct request_texts *texts, const struct page_at *page,
                             const uint8_t digest[DIGEST_BYTES], uint64_t as, uint64_t *id,
                             struct err *err)
{
    struct known known = { .id = as };
    enum result result;

    *id = 0;
    do { /* one of a digest that makes the same id takes the next */
        sqlite3_stmt *st =
            ledger_statement(ledger, as ? SQL_PUT_FOUND_AS : SQL_PUT_FOUND, &result, err);

        if (!st) {
            return result;
        }
        sqlite3_bind_int64(st, 1, (sqlite3_int64)(as ? as++ : ledger->floor));
        ledger_bind_found(st, endpoint, texts, page, digest);
        while (ledger_next_row(ledger, st, &result, err)) {
            *id = ledger_column_u64(st, 0);
        }
        if (result == RESULT_OK && as && !*id) {
            result = look(ledger, endpoint, digest, &known, err);
        }
    } while (result == RESULT_OK && as && !*id && !known.id);
    return result;
}

enum result ledger_move_found(struct ledger *ledger, uint32_t endpoint,
                              const struct request_texts *texts, const struct page_at *page,
                              const uint8_t digest[DIGEST_BYTES], struct err *err)
{
    struct known known;
    enum result result = look(ledger, endpoint, digest, &known, err);
    int order = sort_key_compare(texts->sort_key, sort_key_view(&known.sort_key));
    sqlite3_stmt *st;

    if (result != RESULT_OK || known.id <= ledger->seeds || order == 0) {
        return result;
    }
    if (order < 0) {
        return move(ledger, endpoint, texts, page, &known, digest, err);
    }
    st = ledger_statement(ledger, SQL_FOUND_ASKED_ELSEWHERE, &result, err);
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)known.id);
        result = ledger_step(ledger, st, "noting what was found", err);
    }
    return result == RESULT_OK
               ? ledger_put_also(ledger, endpoint, digest, texts->sort_key, texts->vars, err)
               : result;
}

/* It keeps its place: the plan names it. */
static bool is_listed_seed(const struct ledger *ledger, const struct known *known)
{
    return ledger->is_listed && known->sort_key.len == SORT_KEY_SEED_BYTES;
}

/* One more that asks for the very same, in a further round: its headers may differ, or its plan has it twice. */
static bool is_twin(const struct settlement *settlement, const struct discovered *found,
                    const struct known *known)
{
    return !settlement->response && known->sort_key.len == SORT_KEY_SEED_BYTES &&
           sort_key_compare(sort_key_view(&known->sort_key), found->texts.sort_key) != 0;
}

/* It is told from the other by its number. */
static void digest_twin(const struct discovered *found, uint8_t digest[DIGEST_BYTES])
{
    char text[DIGEST_BYTES + SORT_KEY_SEED_BYTES];
    struct str place = found->texts.sort_key;

    memcpy(text, digest, DIGEST_BYTES);
    memcpy(text + DIGEST_BYTES, place.data, SORT_KEY_SEED_BYTES);
    digest_of(text, sizeof text, digest);
}

/* Gives it an id, unless the digest is known. */
static enum result put_new(struct ledger *ledger, struct settlement *settlement,
                           struct discovered *found, const struct request_texts *texts,
                           const uint8_t digest[DIGEST_BYTES], struct err *err)
{
    uint64_t as = ledger->is_shared ? ledger_shared_id(found->endpoint, digest) : 0;
    enum result result =
        ledger_put_found(ledger, found->endpoint, texts, &found->page, digest, as, &found->id, err);

    return result == RESULT_OK && found->id && ledger->is_shared
               ? ledger_put_outbox(ledger, found->id, &settlement->outbox_last, err)
               : result;
}

/* What named it has no response when it is a seed, in a further round. */
static enum result put_discovered(struct ledger *ledger, struct settlement *settlement,
                                  struct discovered *found, struct buf *scratch, struct err *err)
{
    struct request_texts texts = found->texts;
    char etag[LEDGER_ETAG_MAX] = "";
    uint8_t digest[DIGEST_BYTES];
    enum result result = ledger_digest_found(&texts, &found->page, scratch, digest);
    struct known known;
    bool left_out = false;

    found->id = 0;
    if (result != RESULT_OK) {
        return err_nomem(err, "noting what was found");
    }
    if (!settlement->response) {
        result =
            ledger_is_left_out(ledger, found->endpoint, &texts, settlement->rounds, &left_out, err);
    }
    if (result != RESULT_OK || left_out) {
        return result;
    }
    result = ledger_read_etag(ledger, found->endpoint, &texts, etag, err);
    if (result != RESULT_OK) {
        return result;
    }
    if (etag[0]) {
        texts.etag = str_view(etag);
    }
    result = put_new(ledger, settlement, found, &texts, digest, err);
    if (result != RESULT_OK || found->id) {
        return result;
    }
    result = look(ledger, found->endpoint, digest, &known, err);
    if (result == RESULT_OK && is_twin(settlement, found, &known)) {
        digest_twin(found, digest);
        return put_new(ledger, settlement, found, &texts, digest, err);
    }
    if (result == RESULT_OK && known.id > ledger->seeds && !is_listed_seed(ledger, &known) &&
        sort_key_compare(found->texts.sort_key, sort_key_view(&known.sort_key)) < 0) {
        return move(ledger, found->endpoint, &found->texts, &found->page, &known, digest, err);
    }
    if (result == RESULT_OK && known.id > ledger->seeds) {
        result = ledger_put_also(ledger, found->endpoint, digest, found->texts.sort_key,
                                 found->texts.vars, err);
    }
    return result == RESULT_OK && settlement->response
               ? note_if_back(ledger, settlement, found, &known, err)
               : result;
}

/* Where who found all this stands by now: it may have been moved while it was asked. */
struct moved {
    bool is_moved;
    struct sort_key from, to;
    struct buf vars;
};

static enum result find_moved(struct ledger *ledger, const struct request *by, struct moved *moved,
                              struct err *err)
{
    enum result result = RESULT_OK;
    sqlite3_stmt *st =
        by->id > ledger->seeds ? ledger_statement(ledger, SQL_FOUND_MOVED, &result, err) : NULL;

    *moved = (struct moved){ .is_moved = false };
    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)by->id);
    while (ledger_next_row(ledger, st, &result, err)) {
        sort_key_of(by, &moved->from);
        read_key(&moved->to, st, 0);
        moved->is_moved =
            sort_key_compare(sort_key_view(&moved->from), sort_key_view(&moved->to)) != 0;
        if (buf_append_str(&moved->vars, ledger_column_text(st, 1)) != RESULT_OK) {
            sqlite3_reset(st);
            return err_nomem(err, "noting what was found");
        }
    }
    return result;
}

/* The finding stands where it would if who found it had been asked with its present sort key. */
static bool carry_along(const struct moved *moved, struct discovered *found, struct sort_key *key)
{
    struct str old = found->texts.sort_key;
    size_t from = moved->from.len, rest = old.len - from;

    if (!moved->is_moved || old.len < from || memcmp(old.data, moved->from.bytes, from) != 0 ||
        moved->to.len + rest > sizeof key->bytes) {
        return false;
    }
    *key = moved->to;
    memcpy(key->bytes + key->len, old.data + from, rest);
    key->len += rest;
    return true;
}

/* The first page of a listing is one that its later pages may name, too. */
static enum result put_head(struct ledger *ledger, const struct request *head, struct buf *scratch,
                            struct err *err)
{
    struct request_texts texts = { head->key,  head->url,      head->body,
                                   head->vars, head->sort_key, STR_NONE };
    uint8_t digest[DIGEST_BYTES];
    enum result result = ledger_digest_found(&texts, &head->page, scratch, digest);
    sqlite3_stmt *st;
    struct sort_key sort_key;

    if (result != RESULT_OK) {
        return err_nomem(err, "noting what was found");
    }
    sort_key_of(head, &sort_key);
    texts.sort_key = sort_key_view(&sort_key);
    st = ledger_statement(ledger, SQL_PUT_FOUND_HEAD, &result, err);
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)head->id);
        ledger_bind_found(st, head->endpoint, &texts, &head->page, digest);
        result = ledger_step(ledger, st, "noting a listing", err);
    }
    return result;
}

/* What the page says of its listing, after all that it named has been put: that may change the end. */
static enum result put_page(struct ledger *ledger, const struct request *request,
                            const struct page_result *page, struct err *err)
{
    enum result result;
    sqlite3_stmt *st = ledger_statement(ledger, SQL_PUT_PAGE, &result, err);

    if (!st) {
        return result;
    }
    sqlite3_bind_int64(st, 1, request->endpoint);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)(page->ordinal ? request->page.chain : request->id));
    sqlite3_bind_int64(st, 3, (sqlite3_int64)request->id);
    sqlite3_bind_int64(st, 4, page->ordinal);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)page->records);
    if (page->total <= INT64_MAX) {
        sqlite3_bind_int64(st, 6, (sqlite3_int64)page->total);
    } else {
        sqlite3_bind_null(st, 6);
    }
    sqlite3_bind_int64(st, 7, page->expected);
    sqlite3_bind_int64(st, 8, page->size);
    sqlite3_bind_int64(st, 9, page->crc32c);
    sqlite3_bind_int(st, 10, (int)page->end);
    return ledger_step(ledger, st, "noting a page", err);
}

static bool names_a_page(const struct discoveries *discoveries, const struct request *request)
{
    const struct discovered *first = discoveries->first;

    return first && first->page.ordinal && first->endpoint == request->endpoint;
}

enum result ledger_put_discoveries(struct ledger *ledger, struct settlement *settlement,
                                   struct err *err)
{
    const struct request *by = settlement->response ? settlement->response->request : NULL;
    struct buf scratch = { .max = 0 };
    struct moved moved = { .is_moved = false };
    struct sort_key sort_key;
    enum result result = RESULT_OK;

    for (const struct page_note *note = settlement->discoveries.notes;
         note && by && result == RESULT_OK; note = note->next) {
        result = put_note(ledger, by->id, note->kind, str_view(note->text), err);
    }
    if (result == RESULT_OK && by && by->id <= ledger->seeds &&
        names_a_page(&settlement->discoveries, by)) {
        result = put_head(ledger, by, &scratch, err);
    }
    if (result == RESULT_OK && by && settlement->discoveries.first) {
        result = find_moved(ledger, by, &moved, err);
    }
    for (struct discovered *found = settlement->discoveries.first; found && result == RESULT_OK;
         found = found->next) {
        struct str before = found->texts.sort_key;

        if (carry_along(&moved, found, &sort_key)) {
            found->texts.sort_key = sort_key_view(&sort_key);
        }
        result = put_discovered(ledger, settlement, found, &scratch, err);
        found->texts.sort_key = before;
    }
    if (result == RESULT_OK && settlement->discoveries.page.is_page) {
        result = put_page(ledger, by, &settlement->discoveries.page, err);
    }
    if (result == RESULT_OK && moved.is_moved) {
        result = move_subtree(ledger, by->endpoint, &moved.to, &moved.to,
                              moved.vars.len ? buf_view(&moved.vars) : STR_NONE, err);
    }
    buf_release(&moved.vars);
    buf_release(&scratch);
    if (result != RESULT_OK) {
        ledger_roll_back(ledger);
    }
    return result;
}
