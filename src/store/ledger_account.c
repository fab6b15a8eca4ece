#include "store/ledger_sql.h"

#include <stdio.h>

uint64_t page_account_missing(const struct page_account *a)
{
    return a->expected > a->got ? a->expected - a->got : 0;
}

bool page_account_is_loss(const struct page_account *a)
{
    return a->is_cut || page_account_missing(a) > 0 || a->records_missing > 0;
}

static sqlite3_stmt *statement_of(struct ledger *ledger, enum statement which, uint32_t endpoint,
                                  enum result *result, struct err *err)
{
    sqlite3_stmt *st = ledger_statement(ledger, which, result, err);

    if (st) {
        sqlite3_bind_int64(st, 1, endpoint);
    }
    return st;
}

static enum result is_small_round(struct ledger *ledger, bool *is_small, struct err *err)
{
    enum result result = RESULT_OK;
    sqlite3_stmt *st =
        ledger->round_from ? ledger_statement(ledger, SQL_ACCOUNT_IS_SMALL, &result, err) : NULL;

    *is_small = false;
    if (st) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)ledger->round_from);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        *is_small = true;
    }
    return result;
}

static enum result count_pages(struct ledger *ledger, uint32_t endpoint, struct page_account *a,
                               struct err *err)
{
    enum result result;
    enum statement which;
    bool is_small = false;
    int64_t seeds = ledger->seeds || ledger->is_listed ? (int64_t)ledger->seeds : INT64_MAX;
    sqlite3_stmt *st = statement_of(ledger, SQL_ACCOUNT_ENDED, endpoint, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 2, seeds);
        sqlite3_bind_int64(st, 3, (sqlite3_int64)ledger->round_from);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        a->expected = ledger_column_u64(st, 0);
        a->got = ledger_column_u64(st, 1);
        a->failed = ledger_column_u64(st, 2);
    }
    if (ledger->is_shared) { /* what is missing of them others may have */
        a->expected = a->got + a->failed;
        return result;
    }
    result = result == RESULT_OK ? is_small_round(ledger, &is_small, err) : result;
    which = is_small ? SQL_ACCOUNT_FOUND_LATELY : SQL_ACCOUNT_FOUND;
    st = result == RESULT_OK ? statement_of(ledger, which, endpoint, &result, err) : NULL;
    if (st) {
        sqlite3_bind_int64(st, 2, ledger->round_from ? (sqlite3_int64)ledger->round_from : seeds);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        a->expected += ledger_column_u64(st, 0);
    }
    which = is_small ? SQL_ACCOUNT_UNNAMED_LATELY : SQL_ACCOUNT_UNNAMED;
    st = result == RESULT_OK ? statement_of(ledger, which, endpoint, &result, err) : NULL;
    if (st) {
        sqlite3_bind_int64(st, 2, (sqlite3_int64)ledger->round_from);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        a->expected += ledger_column_u64(st, 0);
    }
    return result;
}

static enum result list_missing(struct ledger *ledger, uint32_t endpoint, struct page_account *a,
                                struct err *err)
{
    enum result result;
    sqlite3_stmt *st = statement_of(ledger, SQL_ACCOUNT_MISSING, endpoint, &result, err);

    if (st) {
        sqlite3_bind_int(st, 2, PAGE_ACCOUNT_MISSING);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        struct str key = ledger_column_text(st, 0);

        if (key.data) {
            snprintf(a->missing[a->missing_count++], PAGE_ACCOUNT_KEY, "%.*s", STR_ARG(key));
        }
    }
    return result;
}

static enum result list_notes(struct ledger *ledger, uint32_t endpoint, struct page_account *a,
                              struct err *err)
{
    enum result result;
    sqlite3_stmt *st = statement_of(ledger, SQL_ACCOUNT_NOTES, endpoint, &result, err);

    if (st) {
        sqlite3_bind_int64(st, 2, (sqlite3_int64)ledger->round_from);
    }
    while (st && ledger_next_row(ledger, st, &result, err)) {
        enum page_note_kind kind = (enum page_note_kind)sqlite3_column_int(st, 0);
        struct page_account_note *note = &a->notes[a->note_count];

        a->is_cut |= page_note_is_loss(kind);
        if (a->note_count < PAGE_ACCOUNT_NOTES) {
            note->kind = kind;
            note->count = ledger_column_u64(st, 1);
            snprintf(note->text, sizeof note->text, "%.*s", STR_ARG(ledger_column_text(st, 2)));
            a->note_count++;
        }
    }
    return result;
}

enum result ledger_read_account(struct ledger *ledger, uint32_t endpoint,
                                struct page_account *account, struct err *err)
{
    enum result result;

    *account = (struct page_account){ .expected = 0 };
    if (ledger->version < 2) {
        return RESULT_OK;
    }
    result = count_pages(ledger, endpoint, account, err);
    if (result == RESULT_OK) {
        result = list_missing(ledger, endpoint, account, err);
    }
    if (result == RESULT_OK) {
        result = list_notes(ledger, endpoint, account, err);
    }
    return result == RESULT_OK && ledger->version >= 3 && !ledger->is_shared
               ? ledger_read_listings(ledger, endpoint, account, err)
               : result;
}
