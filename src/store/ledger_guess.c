/* What the words of version 2 meant: SQL functions that make facts of them, for upgrades and for old ledgers. */
#include "store/ledger_sql.h"

static struct str argument(sqlite3_value *value)
{
    const unsigned char *text = sqlite3_value_text(value);

    return (struct str){ (const char *)text, (size_t)sqlite3_value_bytes(value) };
}

static void guess_failure(sqlite3_context *context, sqlite3_value **values, bool want_class)
{
    enum outcome outcome;
    struct failure failure;

    failure_guess(argument(values[0]), sqlite3_value_int(values[1]), &outcome, &failure);
    sqlite3_result_int(context, want_class ? (int)failure.class : (int)outcome);
}

static void old_outcome(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    guess_failure(context, values, false);
}

static void old_class(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    guess_failure(context, values, true);
}

static void old_due_by(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct due due;

    (void)count;
    due_guess(argument(values[0]), &due);
    sqlite3_result_int(context, (int)due.by);
}

static void old_due_wait(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct due due;

    (void)count;
    due_guess(argument(values[0]), &due);
    sqlite3_result_int64(context, (sqlite3_int64)due.wait_us);
}

static void old_due_ceiling(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct due due;

    (void)count;
    due_guess(argument(values[0]), &due);
    sqlite3_result_int64(context, (sqlite3_int64)due.ceiling_us);
}

static void old_due_said(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct due due;

    (void)count;
    due_guess(argument(values[0]), &due);
    sqlite3_result_text(context, due.said, -1, SQLITE_TRANSIENT);
}

enum result ledger_add_guesses(struct ledger *ledger, struct err *err)
{
    static const struct {
        const char *name;
        int arguments;
        void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
    } functions[] = {
        { "old_outcome", 2, old_outcome },   { "old_class", 2, old_class },
        { "old_due_by", 1, old_due_by },     { "old_due_wait", 1, old_due_wait },
        { "old_due_said", 1, old_due_said }, { "old_due_ceiling", 1, old_due_ceiling },
    };

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (sqlite3_create_function(ledger->db, functions[i].name, functions[i].arguments,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                    functions[i].call, NULL, NULL) != SQLITE_OK) {
            return ledger_fail(ledger, "bringing it to this version", err);
        }
    }
    return RESULT_OK;
}
