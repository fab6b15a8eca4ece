#include "table/postgres/postgres_sink.h"

#include "base/clock.h"
#include "base/os.h"
#include "table/postgres/postgres_link.h"
#include "table/postgres/postgres_target.h"

#include <poll.h>
#include <stdlib.h>

#define WAIT_US (5 * INT64_C(1000000)) /* for a server that is away */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 2000
#define SLICE_MS 100

/* --- a server that is away ------------------------------------------------------------------------------ */

static bool is_stopped(const struct format_target *target)
{
    return target->stop && atomic_load(target->stop);
}

/* A time between half and all of it, so that those who wait for one server do not come at once. */
static void pause_about(const struct format_target *target, int64_t ms)
{
    uint32_t chance = 0;

    (void)os_random(&chance, sizeof chance); /* without chance it is the shortest */
    ms = ms / 2 + ms * (int64_t)(chance % 1024) / 2048;
    for (; ms > 0 && !is_stopped(target); ms -= SLICE_MS) {
        (void)poll(NULL, 0, ms < SLICE_MS ? (int)ms : SLICE_MS);
    }
}

static enum result connect_patiently(struct postgres_link **link,
                                     const struct format_target *target, struct err *err)
{
    const struct clock clock = clock_system();
    int64_t until_us = (int64_t)clock_now_us(&clock) + WAIT_US, pause_ms = PAUSE_MIN_MS;
    enum result result;

    while ((result = postgres_link_open(link, target->path, target->stop, err)) == RESULT_BUSY &&
           (int64_t)clock_now_us(&clock) < until_us && !is_stopped(target)) {
        pause_about(target, pause_ms);
        pause_ms = 2 * pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
    }
    return result;
}

/* --- the format ----------------------------------------------------------------------------------------- */

static enum result open_sink(void **table, const struct format_target *target, struct err *err)
{
    struct postgres_target *t = calloc(1, sizeof *t);
    enum result result;

    *table = t;
    if (!t) {
        return err_nomem(err, "starting a table");
    }
    t->target = target;
    result = connect_patiently(&t->link, target, err);
    return result == RESULT_OK ? postgres_target_begin(t, err) : result;
}

static enum result take(void *table, struct str block, struct err *err)
{
    struct postgres_target *t = table;

    return postgres_link_put(t->link, block, err);
}

static enum result finish(void *table, struct err *err)
{
    return postgres_target_end(table, err);
}

static void close_sink(void *table)
{
    struct postgres_target *t = table;

    if (t) {
        postgres_link_close(t->link);
        postgres_target_release(t);
        free(t);
    }
}

static enum result check(const char *path, struct err *err)
{
    struct postgres_link *link;
    enum result result = postgres_link_open(&link, path, NULL, err);

    result = result == RESULT_OK ? postgres_target_check(link, path, err) : result;
    postgres_link_close(link);
    return result;
}

struct encoder {
    const struct postgres_target *target;
};

static void *encoder_new(void *table)
{
    struct encoder *e = calloc(1, sizeof *e);

    if (e) {
        e->target = table;
    }
    return e;
}

static enum result add(void *encoder, struct buf *block, const struct row *row,
                       uint64_t *lone_surrogates, struct err *err)
{
    const struct encoder *e = encoder;

    return postgres_rows_add(block, e->target->rows, e->target->count, row, lone_surrogates, err);
}

const struct table_format postgres_sink = {
    .name = "postgresql",
    .endings = "",
    .about = "A table in a PostgreSQL server.",
    .typed = true,
    .has_keys = true,
    .has_place = true,
    .may_be_away = true,
    .check = check,
    .open = open_sink,
    .take = take,
    .finish = finish,
    .close = close_sink,
    .encoder_new = encoder_new,
    .encoder_free = free,
    .add = add,
};
