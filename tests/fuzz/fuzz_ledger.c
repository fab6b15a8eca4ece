/* Any rows in a ledger, as somebody with an editor might leave them: tables and values are taken from the bytes, and
 * whoever reads the run afterwards gets rows or a refusal with a word. SQLite's own types are checked by SQLite. */
#include "store/ledger_sql.h"
#include "store/orphans.h"
#include "store/verify.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS_MAX 16
#define ENDPOINTS 3
#define BATCH 64

struct bytes {
    const uint8_t *at, *end;
};

static uint8_t take(struct bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

static void bind(sqlite3_stmt *st, int column, struct bytes *b)
{
    uint8_t kind = take(b);
    int64_t wide = 0;
    size_t len;

    switch (kind % 8) {
    case 0:
        sqlite3_bind_null(st, column);
        return;
    case 1:
        for (int i = 0; i < 8; i++) {
            wide = (int64_t)((uint64_t)wide << 8 | take(b));
        }
        sqlite3_bind_int64(st, column, wide);
        return;
    case 2:
    case 3:
        len = take(b);
        len = len < (size_t)(b->end - b->at) ? len : (size_t)(b->end - b->at);
        if (kind % 8 == 2) {
            sqlite3_bind_text(st, column, (const char *)b->at, (int)len, SQLITE_TRANSIENT);
        } else {
            sqlite3_bind_blob(st, column, b->at, (int)len, SQLITE_TRANSIENT);
        }
        b->at += len;
        return;
    default:
        sqlite3_bind_int64(st, column, kind / 8);
    }
}

static void insert(sqlite3 *db, struct bytes *b)
{
    static const struct {
        const char *name;
    } tables[] = { { "request" },   { "segment" }, { "session" }, { "meta" },
                   { "found" },     { "page" },    { "said" },    { "polled" },
                   { "page_note" }, { "kept" },    { "exchange" } };
    const char *table = tables[take(b) % (sizeof tables / sizeof tables[0])].name;
    char sql[512] = "";
    sqlite3_stmt *st = NULL;
    int columns = 0, len;

    snprintf(sql, sizeof sql, "SELECT count(*) FROM pragma_table_info('%s')", table);
    FUZZ_CHECK(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK);
    FUZZ_CHECK(sqlite3_step(st) == SQLITE_ROW);
    columns = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    FUZZ_CHECK(columns > 0);
    len = snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO %s VALUES(?", table);
    for (int i = 1; i < columns; i++) {
        FUZZ_CHECK(len + 4 < (int)sizeof sql);
        len += snprintf(sql + len, sizeof sql - (size_t)len, ",?");
    }
    snprintf(sql + len, sizeof sql - (size_t)len, ")");
    FUZZ_CHECK(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK);
    for (int i = 1; i <= columns; i++) {
        bind(st, i, b);
    }
    (void)sqlite3_step(st); /* what SQLite refuses is not there */
    sqlite3_finalize(st);
}

static void on_row(void *context, const struct ledger_row *row)
{
    (void)row;
    ++*(uint64_t *)context;
}

static enum result on_exchange(void *context, uint64_t id, const struct exchange *exchange,
                               struct err *err)
{
    (void)id;
    (void)exchange;
    (void)err;
    ++*(uint64_t *)context;
    return RESULT_OK;
}

static enum result on_found(void *context, struct request *request, int64_t not_before_us)
{
    (void)not_before_us;
    ++*(uint64_t *)context;
    request_free(request);
    return RESULT_OK;
}

static enum result on_record(void *context, const struct record *record, struct err *err)
{
    (void)record;
    (void)err;
    ++*(uint64_t *)context;
    return RESULT_OK;
}

static void on_finding(void *context, const struct verify_finding *finding)
{
    FUZZ_CHECK(finding->text && verify_kind_name(finding->kind));
    ++*(uint64_t *)context;
}

static void well_or_told(enum result result, const struct err *err)
{
    FUZZ_CHECK(result == RESULT_OK || result == RESULT_NOT_FOUND || err->text[0]);
}

static void read_found(struct ledger *ledger, uint64_t *count)
{
    struct ledger_discovered_query query = { .max = BATCH, .visit = on_found, .context = count };
    struct err err = { .text = "" };

    query.which = LEDGER_DISCOVERED_NEW;
    well_or_told(ledger_each_discovered(ledger, &query, &err), &err);
    err.text[0] = '\0';
    query.which = LEDGER_DISCOVERED_WAITING;
    well_or_told(ledger_each_discovered(ledger, &query, &err), &err);
}

static void read_endpoint(struct ledger *ledger, uint32_t endpoint)
{
    struct placed_record records[BATCH];
    struct record_position position = { 0 };
    struct page_account account;
    struct err err = { .text = "" };
    size_t count = 0;

    well_or_told(ledger_read_endpoint(ledger, endpoint, &position, records, BATCH, &count, &err),
                 &err);
    FUZZ_CHECK(count <= BATCH);
    for (size_t i = 0; i < count; i++) {
        free(records[i].vars);
    }
    err.text[0] = '\0';
    well_or_told(ledger_read_account(ledger, endpoint, &account, &err), &err);
}

static void read_run(const char *path)
{
    struct run_reader reader;
    struct ledger_summary summary;
    struct rounds_kept rounds;
    struct verify_report report;
    struct buf kept = { 0 };
    struct err err = { .text = "" };
    uint64_t count = 0;

    if (run_reader_open(&reader, path, &err) != RESULT_OK) {
        FUZZ_CHECK(err.text[0]);
        return;
    }
    well_or_told(ledger_summarise(reader.ledger, &summary, &err), &err);
    well_or_told(ledger_each_row(reader.ledger, on_row, &count, &err), &err);
    well_or_told(ledger_each_exchange(reader.ledger, on_exchange, &count, &err), &err);
    read_found(reader.ledger, &count);
    for (uint32_t i = 0; i < ENDPOINTS; i++) {
        read_endpoint(reader.ledger, i);
    }
    well_or_told(ledger_read_rounds(reader.ledger, &rounds, &err), &err);
    well_or_told(ledger_read_kept(reader.ledger, LEDGER_KEPT_JOB, &kept, &err), &err);
    well_or_told(run_reader_each(&reader, LEDGER_STORED, on_record, &count, &err), &err);
    well_or_told(verify_run(&reader, on_finding, &count, &report, &err), &err);
    buf_release(&kept);
    run_reader_close(&reader);
}

/* An empty ledger, made once. */
static void make_empty(void)
{
    struct run_dir dir;
    struct ledger *ledger;
    struct err err;
    bool created;
    size_t len;
    int raw_fd;
    char *bytes;

    FUZZ_CHECK(run_dir_open(&dir, folder_at("base").text, &err) == RESULT_OK);
    FUZZ_CHECK(segment_dir_open(&dir, true, &raw_fd, &err) == RESULT_OK);
    FUZZ_CHECK(ledger_open(&ledger, &dir, &created, &err) == RESULT_OK);
    FUZZ_CHECK(ledger_checkpoint(ledger, true, &err) == RESULT_OK);
    ledger_close(ledger);
    run_dir_close(&dir);
    bytes = folder_get("base/ledger.db", &len);
    FUZZ_CHECK(bytes && len);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *empty;
    static size_t empty_len;
    struct bytes b = { data, data + size };
    struct folder_path path;
    sqlite3 *db;

    if (!empty) {
        make_empty();
        empty = folder_get("base/ledger.db", &empty_len);
    }
    path = folder_put("base/ledger.db", empty, empty_len);
    FUZZ_CHECK(sqlite3_open(path.text, &db) == SQLITE_OK);
    FUZZ_CHECK(sqlite3_exec(db, "PRAGMA synchronous=OFF; PRAGMA ignore_check_constraints=ON; BEGIN",
                            NULL, NULL, NULL) == SQLITE_OK);
    for (int i = 0; i < ROWS_MAX && b.at < b.end; i++) {
        insert(db, &b);
    }
    FUZZ_CHECK(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    read_run(folder_at("base").text);
    return 0;
}
