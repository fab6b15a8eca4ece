#include "store_fixture.h"

#include "store/ledger.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void temp_init(struct temp *temp)
{
    snprintf(temp->base, sizeof temp->base, "/tmp/scrapetop-test-XXXXXX");
    assert_non_null(mkdtemp(temp->base));
    snprintf(temp->run, sizeof temp->run, "%s/a.run", temp->base);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void temp_release(struct temp *temp)
{
    assert_int_equal(nftw(temp->base, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

struct settlement *settlement_make(uint64_t id, enum settle_state state, enum settle_body body_kind,
                                   struct str body)
{
    struct settlement *s = calloc(1, sizeof *s);
    char key[32], url[64];

    assert_non_null(s);
    snprintf(key, sizeof key, "%" PRIu64, id);
    snprintf(url, sizeof url, "http://h.test/items/%" PRIu64, id);
    s->state = state;
    s->body_kind = body_kind;
    s->response = response_new();
    assert_non_null(s->response);
    s->response->request = request_new(id, 0, str_view(key), str_view(url));
    assert_non_null(s->response->request);
    s->response->request->attempt = 1;
    s->response->status = 200;
    s->response->fetched_at_us = INT64_C(1700000000123456);
    s->response->timing.total_us = 213999;
    assert_int_equal(buf_append_str(&s->response->body, body), RESULT_OK);
    return s;
}

void settlement_free(struct settlement *settlement)
{
    if (settlement) {
        response_free(settlement->response);
        free(settlement);
    }
}

void ledger_make(const struct run_dir *dir, const char *sql)
{
    char path[256], *why = NULL;
    sqlite3 *db;

    (void)unlinkat(dir->fd, "ledger.db", 0);
    snprintf(path, sizeof path, "%s/ledger.db", dir->path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) {
        fail_msg("%s", why);
    }
    sqlite3_close(db);
}

char *file_read(const struct run_dir *dir, const char *name, size_t *len)
{
    struct buf bytes = { .max = 0 };

    assert_int_equal(run_dir_read(dir, name, 64 << 20, &bytes, NULL), RESULT_OK);
    assert_non_null(buf_cstr(&bytes));
    *len = bytes.len;
    return bytes.data;
}

void file_write(const struct run_dir *dir, const char *name, struct str bytes)
{
    int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.data, bytes.len), (ssize_t)bytes.len);
    close(fd);
}

void file_damage(const struct run_dir *dir, const char *name, size_t at, unsigned char mask)
{
    int fd = openat(dir->fd, name, O_RDWR | O_CLOEXEC);
    unsigned char byte;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= mask;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

void ledger_put_all(struct ledger *ledger, struct settlement *s)
{
    struct err err = { .result = RESULT_OK };
    bool duplicate;

    if (ledger_begin(ledger, &err) != RESULT_OK ||
        ledger_put(ledger, s, &duplicate, &err) != RESULT_OK ||
        ledger_put_discoveries(ledger, s, &err) != RESULT_OK ||
        ledger_commit(ledger, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}
