/*
 * Listings in the account of an endpoint: why each ended, how many records it told of and how many came, and
 * which of its pages lack some. One walk over the rows of its pages, listing by listing, beside the rows of
 * those that failed.
 */
#include "store/ledger_sql.h"

#include "base/grow.h"
#include "base/units.h"
#include "plan/failure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DEEP_RECORDS 1000 /* a cursor that is refused after so many records has met a limit */
#define SHORT_SHOWN 3     /* short pages that are named */
#define REPEATED_SHOWN 3

/* A page whose records may be another's. */
struct print {
    uint32_t crc32c;
    uint64_t id;
};

struct short_page {
    uint64_t id, records, size;
};

/* One listing of pages, as far as its rows have been read. */
struct listing {
    uint64_t chain;
    uint64_t pages, records, expected;
    bool has_total;
    uint64_t total, total_ordinal;
    enum page_end end;
    struct short_page short_pages[SHORT_SHOWN];
    size_t short_count; /* in all */
};

/* Rows that failed, in order of their listing. */
struct failures {
    sqlite3_stmt *st;
    bool is_row;
    uint64_t chain; /* of the row at hand */
};

struct reading {
    struct ledger *ledger;
    struct page_account *account;
    struct err *err;
    enum result result;
    struct failures failures;
    struct print *prints; /* of the listing at hand */
    size_t print_count, print_allocated;
};

static void next_failure(struct reading *r)
{
    struct failures *f = &r->failures;

    f->is_row = ledger_next_row(r->ledger, f->st, &r->result, r->err);
    f->chain = f->is_row ? ledger_column_u64(f->st, 0) : UINT64_MAX;
}

/* Statuses by which servers refuse pages beyond what they let anybody see. */
static bool is_refusal(int status)
{
    return status == 400 || status == 403 || status == 416 || status == 422;
}

/* What the failed pages of that listing make of its end; PAGE_END_NONE when it has none. */
static enum page_end take_failures(struct reading *r, const struct listing *l)
{
    struct failures *f = &r->failures;
    bool any = false, all_refused = true, unasked = false;
    bool is_short = l->records >= DEEP_RECORDS || (l->has_total && l->records < l->total);

    while (r->result == RESULT_OK && f->is_row && f->chain == l->chain) {
        bool by_number = sqlite3_column_int(f->st, 3) > 0;
        bool is_unasked = sqlite3_column_int(f->st, 2) == FAILURE_NOT_ASKED;

        any = true;
        unasked |= is_unasked;
        all_refused &=
            is_unasked || (is_refusal(sqlite3_column_int(f->st, 1)) && (by_number || is_short));
        next_failure(r);
    }
    return !any                                       ? PAGE_END_NONE
           : unasked || (all_refused && l->pages > 0) ? PAGE_END_DEEP_LIMIT
                                                      : PAGE_END_FAILED;
}

static void count_end(struct page_account *a, enum page_end end)
{
    size_t i = 0;

    a->listings++;
    a->end = end > a->end || a->listings == 1 ? end : a->end;
    while (i < a->end_count && a->ends[i].end != end) {
        i++;
    }
    if (i == PAGE_ACCOUNT_ENDS) {
        return;
    }
    if (i == a->end_count) {
        a->ends[a->end_count++] = (struct page_account_end){ .end = end };
    }
    a->ends[i].listings++;
}

/* The key of a page, "page=3"; of the first page of a listing that has no other there is none. */
static void page_key(struct reading *r, uint64_t id, char key[PAGE_ACCOUNT_KEY])
{
    sqlite3_stmt *st = ledger_statement(r->ledger, SQL_ACCOUNT_KEY, &r->result, r->err);

    snprintf(key, PAGE_ACCOUNT_KEY, "the first page");
    if (!st) {
        return;
    }
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    while (ledger_next_row(r->ledger, st, &r->result, r->err)) {
        snprintf(key, PAGE_ACCOUNT_KEY, "%.*s", STR_ARG(ledger_column_text(st, 0)));
    }
}

/* Counts a note of that kind; NULL when there is one already, or no room. */
static char *new_note(struct page_account *a, enum page_note_kind kind)
{
    for (size_t i = 0; i < a->note_count; i++) {
        if (a->notes[i].kind == kind) {
            a->notes[i].count++;
            return NULL;
        }
    }
    if (a->note_count == PAGE_ACCOUNT_NOTES) {
        return NULL;
    }
    a->notes[a->note_count] = (struct page_account_note){ .kind = kind, .count = 1 };
    return a->notes[a->note_count++].text;
}

static void note_fewer(struct reading *r, const struct listing *l)
{
    char *text = new_note(r->account, PAGE_NOTE_FEWER), key[PAGE_ACCOUNT_KEY];
    size_t size = REQUEST_REASON_MAX, at;
    size_t shown = l->short_count < SHORT_SHOWN ? l->short_count : SHORT_SHOWN;

    if (!text) {
        return;
    }
    at = (size_t)snprintf(text, size, "%" PRIu64 " of %" PRIu64 " record%s came", l->records,
                          l->total, units_plural(l->total));
    for (size_t i = 0; i < shown && at < size; i++) {
        page_key(r, l->short_pages[i].id, key);
        at += (size_t)snprintf(text + at, size - at, "%s%s has %" PRIu64 " of %" PRIu64,
                               i ? ", " : ": ", key, l->short_pages[i].records,
                               l->short_pages[i].size);
    }
    if (l->short_count > shown && at < size) {
        snprintf(text + at, size - at, ", and %zu more page%s", l->short_count - shown,
                 units_plural(l->short_count - shown));
    }
}

/* --- pages that came twice ---------------------------------------------------------------------------- */

static void keep_print(struct reading *r, uint64_t id, uint32_t crc32c)
{
    struct print *prints =
        grow_by_one(r->prints, r->print_count, &r->print_allocated, sizeof *prints);

    if (!prints) {
        r->result = err_nomem(r->err, "reading the ledger");
        return;
    }
    r->prints = prints;
    r->prints[r->print_count++] = (struct print){ crc32c, id };
}

static int compare_prints(const void *a, const void *b)
{
    const struct print *x = a, *y = b;

    return x->crc32c != y->crc32c ? (x->crc32c < y->crc32c ? -1 : 1)
                                  : (x->id > y->id) - (x->id < y->id);
}

/* Whether two pages of the listing have the same records; tells of the first such ones. */
static bool find_repeated(struct reading *r)
{
    char first[PAGE_ACCOUNT_KEY], again[PAGE_ACCOUNT_KEY], *text = NULL;
    size_t found = 0, at = 0;

    if (r->print_count) {
        qsort(r->prints, r->print_count, sizeof *r->prints, compare_prints);
    }
    for (size_t i = 1; i < r->print_count && r->result == RESULT_OK; i++) {
        if (r->prints[i].crc32c != r->prints[i - 1].crc32c) {
            continue;
        }
        if (!found++) {
            text = new_note(r->account, PAGE_NOTE_SAME_PAGE);
        }
        if (text && found <= REPEATED_SHOWN && at < REQUEST_REASON_MAX) {
            page_key(r, r->prints[i - 1].id, first);
            page_key(r, r->prints[i].id, again);
            at += (size_t)snprintf(text + at, REQUEST_REASON_MAX - at,
                                   "%s%s has the records of %s again", found > 1 ? ", " : "", again,
                                   first);
        }
    }
    return found > 0;
}

/* --- a listing ------------------------------------------------------------------------------------------ */

static void end_listing(struct reading *r, struct listing *l)
{
    struct page_account *a = r->account;
    enum page_end failed = take_failures(r, l);
    uint64_t lacking = l->has_total && l->total > l->records ? l->total - l->records : 0;

    if (l->end < failed) {
        l->end = failed;
    } else if (!page_end_is_loss(l->end) && l->pages < l->expected) {
        l->end = PAGE_END_NONE; /* pages in its middle have not been asked so far */
    }
    if (find_repeated(r) && l->end != PAGE_END_FAILED) {
        l->end = PAGE_END_SAME_PAGE;
    }
    a->records += l->records;
    a->records_told += l->has_total ? l->total : 0;
    a->listings_told += l->has_total;
    if (l->end != PAGE_END_NONE && l->end != PAGE_END_RULE && lacking) {
        a->records_missing += lacking;
        if (!page_end_is_loss(l->end)) {
            l->end = PAGE_END_FEWER;
            note_fewer(r, l);
        } else if (l->short_count) { /* else what is missing is told already */
            note_fewer(r, l);
        }
    }
    a->is_cut |= page_end_is_loss(l->end) && l->end != PAGE_END_FAILED;
    count_end(a, l->end);
}

/* Listings before `chain` of which not one page came. */
static void end_failed_ones(struct reading *r, uint64_t chain)
{
    while (r->result == RESULT_OK && r->failures.is_row && r->failures.chain < chain) {
        struct listing none = { .chain = r->failures.chain };

        count_end(r->account, take_failures(r, &none));
    }
}

static void add_page(struct reading *r, struct listing *l, sqlite3_stmt *st)
{
    uint64_t id = ledger_column_u64(st, 1), ordinal = ledger_column_u64(st, 2);
    uint64_t records = ledger_column_u64(st, 3), expected = ledger_column_u64(st, 5);
    uint64_t size = ledger_column_u64(st, 6);
    uint32_t crc32c = (uint32_t)ledger_column_u64(st, 7);
    enum page_end end = (enum page_end)sqlite3_column_int(st, 8);

    l->pages++;
    l->records += records;
    l->expected = expected > l->expected ? expected : l->expected;
    l->end = end > l->end ? end : l->end;
    if (sqlite3_column_type(st, 4) != SQLITE_NULL &&
        (!l->has_total || ordinal >= l->total_ordinal)) {
        l->has_total = true;
        l->total = ledger_column_u64(st, 4);
        l->total_ordinal = ordinal;
    }
    if (expected && size && records < size && ordinal + 1 < expected) {
        if (l->short_count < SHORT_SHOWN) {
            l->short_pages[l->short_count] = (struct short_page){ id, records, size };
        }
        l->short_count++;
    }
    if (expected && crc32c) {
        keep_print(r, id, crc32c);
    }
}

static void read_pages(struct reading *r, sqlite3_stmt *st)
{
    struct listing l = { .chain = 0 };

    while (r->result == RESULT_OK && ledger_next_row(r->ledger, st, &r->result, r->err)) {
        uint64_t chain = ledger_column_u64(st, 0);

        if (l.pages && chain != l.chain) {
            end_listing(r, &l);
            l = (struct listing){ .chain = 0 };
            r->print_count = 0;
        }
        if (!l.pages) {
            end_failed_ones(r, chain);
            l.chain = chain;
        }
        add_page(r, &l, st);
    }
    if (l.pages && r->result == RESULT_OK) {
        end_listing(r, &l);
    }
    end_failed_ones(r, UINT64_MAX);
}

static int compare_ends(const void *a, const void *b)
{
    return (int)((const struct page_account_end *)b)->end -
           (int)((const struct page_account_end *)a)->end;
}

enum result ledger_read_listings(struct ledger *ledger, uint32_t endpoint,
                                 struct page_account *account, struct err *err)
{
    struct reading r = { .ledger = ledger, .account = account, .err = err };
    sqlite3_stmt *st = ledger_statement(ledger, SQL_ACCOUNT_PAGES, &r.result, err);

    if (!st) {
        return r.result;
    }
    r.failures.st = ledger_statement(ledger, SQL_ACCOUNT_FAILED, &r.result, err);
    if (!r.failures.st) {
        return r.result;
    }
    sqlite3_bind_int64(st, 1, endpoint);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)ledger->round_from);
    sqlite3_bind_int64(r.failures.st, 1, endpoint);
    next_failure(&r);
    if (r.result == RESULT_OK) {
        read_pages(&r, st);
    }
    sqlite3_reset(st);
    sqlite3_reset(r.failures.st);
    free(r.prints);
    qsort(account->ends, account->end_count, sizeof account->ends[0], compare_ends);
    return r.result;
}
