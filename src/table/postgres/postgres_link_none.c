/* In the place of postgres_link.c where libpq is missing: postgres_link_open says so. */
#include "table/postgres/postgres_link.h"

bool postgres_link_is_built(void)
{
    return false;
}

const char *postgres_link_version(void)
{
    return "";
}

enum result postgres_link_open(struct postgres_link **link, const char *url,
                               const atomic_bool *stop, struct err *err)
{
    (void)stop;
    *link = NULL;
    return err_set(err, RESULT_INVALID, "E-ARG1",
                   "%s: this scrapetop was built without PostgreSQL (SCRAPETOP_POSTGRES, which "
                   "needs libpq); -o items.sql makes a script for psql",
                   url);
}

void postgres_link_close(struct postgres_link *link)
{
    (void)link;
}

static enum result refuse(struct err *err)
{
    return err_set(err, RESULT_INVALID, "E-ARG1", "this scrapetop was built without PostgreSQL");
}

bool postgres_link_has_setting(const struct postgres_link *link, const char *name)
{
    (void)link;
    (void)name;
    return false;
}

void postgres_link_limit(struct postgres_link *link, uint64_t ms)
{
    (void)link;
    (void)ms;
}

enum result postgres_link_run(struct postgres_link *link, struct buf *sql, struct err *err)
{
    (void)link;
    (void)sql;
    return refuse(err);
}

enum result postgres_link_ask(struct postgres_link *link, struct buf *sql, postgres_row_fn *row,
                              void *context, struct err *err)
{
    (void)link;
    (void)sql;
    (void)row;
    (void)context;
    return refuse(err);
}

enum result postgres_link_copy(struct postgres_link *link, struct buf *sql, struct err *err)
{
    (void)link;
    (void)sql;
    return refuse(err);
}

enum result postgres_link_put(struct postgres_link *link, struct str bytes, struct err *err)
{
    (void)link;
    (void)bytes;
    return refuse(err);
}

enum result postgres_link_put_end(struct postgres_link *link, struct err *err)
{
    (void)link;
    return refuse(err);
}

bool postgres_link_failed_by(const struct postgres_link *link, const char *state)
{
    (void)link;
    (void)state;
    return false;
}
