/*
 * Temporary views and a table that go by the names of what they stand for: statements find them first.
 */
#include "store/ledger_as_of.h"

#include "store/ledger_sql.h"

#include <stdio.h>

#define PAGE 512

static const char begin[] = "CREATE TEMP TABLE as_of_late(id INTEGER PRIMARY KEY);"
                            "CREATE TEMP TABLE as_of_round(round BLOB);";

static const char go_back[] =
    "INSERT INTO temp.as_of_round SELECT max(substr(f.place,1,4)) FROM main.found f"
    " CROSS JOIN main.request r ON r.id=f.id WHERE r.line_bytes IS NOT NULL"
    " AND NOT EXISTS(SELECT 1 FROM temp.as_of_late l WHERE l.id=r.id);"
    "CREATE TEMP VIEW request AS SELECT * FROM main.request r"
    " WHERE NOT EXISTS(SELECT 1 FROM temp.as_of_late l WHERE l.id=r.id);"
    "CREATE TEMP VIEW found AS SELECT * FROM main.found f"
    " WHERE substr(f.place,1,4)<=(SELECT round FROM temp.as_of_round);"
    "CREATE TEMP TABLE polled(what BLOB PRIMARY KEY, request INTEGER) WITHOUT ROWID;"
    "INSERT OR REPLACE INTO temp.polled SELECT polled_as(f.endpoint,f.place,f.url,f.body),max(r.id)"
    " FROM temp.found f CROSS JOIN temp.request r ON r.id=f.id"
    " WHERE r.state=1 AND r.line_bytes IS NOT NULL AND length(f.place)>=12 GROUP BY 1;";

bool ledger_is_of_rounds(const struct ledger *ledger)
{
    return ledger->is_again;
}

static enum result execute(struct ledger *ledger, const char *text, struct err *err)
{
    return sqlite3_exec(ledger->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? RESULT_OK
               : ledger_fail(ledger, "reading the ledger", err);
}

static enum result note_late(struct ledger *ledger, uint64_t id, struct err *err)
{
    char text[96];

    snprintf(text, sizeof text, "INSERT INTO temp.as_of_late VALUES(%llu)", (unsigned long long)id);
    return execute(ledger, text, err);
}

static enum result find_late(struct ledger *ledger,
                             enum result (*is_late)(void *context, const struct record *record,
                                                    bool *late, struct err *err),
                             void *context, uint64_t *count, struct err *err)
{
    struct record page[PAGE];
    uint64_t after = 0;
    size_t got = PAGE;
    enum result result = RESULT_OK;

    while (result == RESULT_OK && got == PAGE) {
        result = ledger_read_index(ledger, LEDGER_STORED, after, page, PAGE, &got, err);
        for (size_t i = 0; i < got && result == RESULT_OK; i++) {
            bool late = false;

            result = is_late(context, &page[i], &late, err);
            result = result == RESULT_OK && late ? note_late(ledger, page[i].id, err) : result;
            *count += late;
            after = page[i].id;
        }
    }
    return result;
}

enum result ledger_go_back(struct ledger *ledger,
                           enum result (*is_late)(void *context, const struct record *record,
                                                  bool *late, struct err *err),
                           void *context, uint64_t *count, struct err *err)
{
    enum result result = ledger_add_round_functions(ledger, err);

    *count = 0;
    result = result == RESULT_OK ? execute(ledger, "PRAGMA query_only=OFF;", err) : result;
    result = result == RESULT_OK ? execute(ledger, begin, err) : result;
    result = result == RESULT_OK ? find_late(ledger, is_late, context, count, err) : result;
    result = result == RESULT_OK && *count ? execute(ledger, go_back, err) : result;
    return result == RESULT_OK ? execute(ledger, "PRAGMA query_only=ON;", err) : result;
}
