#include "table/postgres/postgres_link.h"

#include "base/clock.h"
#include "table/postgres/postgres_place.h"

#include <ctype.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_MS 100 /* between two looks whether we are to stop */
#define CONNECT_MS 10000
#define CONNECT_S_MAX 86400U /* of what the user may ask for */
#define SILENCE_MS 60000     /* that a server may take no bytes of ours */
#define LOOK_MIN_MS 5000     /* without an answer, until we look whether the server lives */
#define LOOK_MAX_MS 60000
#define LOOKS 3       /* in vain, one after the other: it does not */
#define SLACK_MS 5000 /* for the server's own words that a statement took too long */
#define LIMIT_MS_MAX (INT64_C(1) << 40)
#define PUT_BYTES ((size_t)1 << 20)
#define STATE_LEN 5 /* of an SQLSTATE */
#define WORDS_MAX 500

struct postgres_link {
    PGconn *conn;
    const char *url;
    const atomic_bool *stop;
    bool is_open;              /* the server has let us in */
    int64_t limit_ms;          /* within which a statement is answered; 0: none */
    char state[STATE_LEN + 1]; /* of the last failure; "": the connection's own */
};

bool postgres_link_is_built(void)
{
    return true;
}

const char *postgres_link_version(void)
{
    static char text[16];

    snprintf(text, sizeof text, "%d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
    return text;
}

/* --- what a failure means ------------------------------------------------------------------------------ */

struct meaning {
    const char *state; /* the begin of SQLSTATEs; the first that fits counts */
    enum result result;
    const char *code;
    const char *words;
};

static const struct meaning meanings[] = {
    { "28", RESULT_DENIED, "E-DB1", "the server lets nobody in by this name and password" },
    { "3D000", RESULT_NOT_FOUND, "E-DB1", "there is no such database" },
    { "25006", RESULT_DENIED, "E-DB1",
      "the server takes no writes: it is a standby, or read-only" },
    { "42501", RESULT_DENIED, "E-DB1", "the user has no right to do this" },
    { "55P03", RESULT_BUSY, "E-DB1", "another program has locked the table; it is as it was" },
    { "40", RESULT_BUSY, "E-DB4", "another program changed the same rows; the table is as it was" },
    { "53100", RESULT_FULL, "E-DB3", "no space is left on the server; the table is as it was" },
    { "53", RESULT_BUSY, "E-DB1", "the server has no room for this now" },
    { "57014", RESULT_BUSY, "E-DB1", "the server broke it off; the table is as it was" },
    { "57P03", RESULT_BUSY, "E-DB1", "the server is starting or ending" },
    { "57", RESULT_BUSY, "E-DB4", "the server is ending, or broke it off" },
    { "08", RESULT_BUSY, "E-DB4", "the connection broke; the table is as it was" },
    { "22P05", RESULT_INVALID, "E-DB2",
      "the database's encoding has no such character (one made with ENCODING 'UTF8' has all)" },
    { "22021", RESULT_INVALID, "E-DB2", "the database's encoding has no such character" },
    { "22", RESULT_INVALID, "E-DB2", "a value does not fit the table's column" },
    { "23", RESULT_INVALID, "E-DB2", "a row breaks a rule of the table" },
    { "54", RESULT_DENIED, "E-DB2", "it is more than PostgreSQL can hold" },
    { "42", RESULT_INVALID, "E-DB2", "the table that is there does not fit" },
    { "0A", RESULT_INVALID, "E-DB2", "the table that is there does not fit" },
    { "", RESULT_IO, "E-DB3", "PostgreSQL could not do it" },
};

static const struct meaning *meaning_of(const char *state)
{
    const struct meaning *m = meanings;

    while (strncmp(state, m->state, strlen(m->state)) != 0) {
        m++;
    }
    return m;
}

/* The first line of what a server says, without the line's end. */
static int first_line(const char *said)
{
    size_t len = strcspn(said, "\n");

    return (int)(len < WORDS_MAX ? len : WORDS_MAX);
}

static enum result tell(struct postgres_link *link, const char *said, const char *detail,
                        struct err *err)
{
    const struct meaning *m = meaning_of(link->state);

    return err_set(err, m->result, m->code, "%s: %s: %.*s%s%.*s", link->url, m->words,
                   first_line(said), said, *detail ? "; " : "", first_line(detail), detail);
}

/* "FATAL:  28P01: password ...": where a verbose message has its SQLSTATE. NULL: nowhere. */
static const char *find_state(const char *said)
{
    for (const char *at = said; (at = strstr(at, ":  ")); at += 3) {
        const char *state = at + 3;
        size_t len = 0;

        while (len < STATE_LEN &&
               (isdigit((unsigned char)state[len]) || isupper((unsigned char)state[len]))) {
            len++;
        }
        if (len == STATE_LEN && state[len] == ':') {
            return state;
        }
    }
    return NULL;
}

/* The connection itself is what failed. */
static enum result fail_connection(struct postgres_link *link, struct err *err)
{
    const char *said = PQerrorMessage(link->conn), *state = find_state(said);

    link->state[0] = '\0';
    if (state) {
        memcpy(link->state, state, STATE_LEN);
        link->state[STATE_LEN] = '\0';
        return tell(link, state + STATE_LEN + 2, "", err);
    }
    if (PQconnectionNeedsPassword(link->conn)) {
        return err_set(err, RESULT_DENIED, "E-DB1",
                       "%s: the server wants a password: PGPASSWORD, ~/.pgpass or the URL has it",
                       link->url);
    }
    return link->is_open ? err_set(err, RESULT_BUSY, "E-DB4", "%s: the connection broke: %.*s",
                                   link->url, first_line(said), said)
                         : err_set(err, RESULT_BUSY, "E-DB1", "%s: the server is away: %.*s",
                                   link->url, first_line(said), said);
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text ? text : "";
}

static enum result fail_statement(struct postgres_link *link, const PGresult *result,
                                  struct err *err)
{
    const char *state = field(result, PG_DIAG_SQLSTATE);
    const char *said = field(result, PG_DIAG_MESSAGE_PRIMARY);

    snprintf(link->state, sizeof link->state, "%s", state);
    return *said ? tell(link, said, field(result, PG_DIAG_MESSAGE_DETAIL), err)
                 : fail_connection(link, err);
}

bool postgres_link_has_setting(const struct postgres_link *link, const char *name)
{
    PQconninfoOption *options = PQconninfo(link->conn);
    bool has = false;

    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        has |= strcmp(o->keyword, "options") == 0 && o->val && strstr(o->val, name);
    }
    PQconninfoFree(options);
    return has;
}

void postgres_link_limit(struct postgres_link *link, uint64_t ms)
{
    link->limit_ms = !ms ? 0 : ms < LIMIT_MS_MAX ? (int64_t)ms + SLACK_MS : LIMIT_MS_MAX;
}

bool postgres_link_failed_by(const struct postgres_link *link, const char *state)
{
    return strcmp(link->state, state) == 0;
}

/* --- waiting ------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    const struct clock clock = clock_system();

    return (int64_t)(clock_now_us(&clock) / 1000);
}

/* Until the server has something for us, or takes something. */
static enum result wait_for(struct postgres_link *link, short events, int64_t until_ms,
                            struct err *err)
{
    for (;;) {
        struct pollfd fd = { .fd = PQsocket(link->conn), .events = events };

        if (link->stop && atomic_load(link->stop)) {
            return err_set(err, RESULT_CANCELLED, "E-TAB9", "cancelled");
        }
        if (now_ms() > until_ms) {
            link->state[0] = '\0';
            return err_set(err, RESULT_BUSY, "E-DB1", "%s: the server is away: it does not answer",
                           link->url);
        }
        if (fd.fd < 0 || poll(&fd, 1, SLICE_MS) > 0) {
            return RESULT_OK; /* whoever asked finds out what there is */
        }
    }
}

static enum result flush(struct postgres_link *link, struct err *err)
{
    int left;

    while ((left = PQflush(link->conn)) == 1) {
        enum result result = wait_for(link, POLLIN | POLLOUT, now_ms() + SILENCE_MS, err);

        if (result != RESULT_OK) {
            return result;
        }
        if (!PQconsumeInput(link->conn)) {
            return fail_connection(link, err);
        }
    }
    return left == 0 ? RESULT_OK : fail_connection(link, err);
}

static bool lives(const struct postgres_link *link);

/* A statement may take hours, and who is at work on it says nothing. A server that is frozen says nothing for ever, and
 * its machine keeps the connection: so another one is tried now and then. */
static enum result wait_for_answer(struct postgres_link *link, struct err *err)
{
    int64_t patience_ms = LOOK_MIN_MS;
    int64_t until_ms = link->limit_ms ? now_ms() + link->limit_ms : INT64_MAX;
    int looks = 0;

    for (;;) {
        int64_t next_ms = now_ms() + patience_ms;
        enum result result = wait_for(link, POLLIN, next_ms < until_ms ? next_ms : until_ms, err);

        if (result != RESULT_BUSY) {
            return result;
        }
        if (now_ms() >= until_ms) {
            return err_set(err, RESULT_BUSY, "E-DB1",
                           "%s: the server's process for us hangs: no answer within its "
                           "statement_timeout; the table is as it was",
                           link->url);
        }
        if (lives(link)) {
            looks = 0;
            patience_ms = 2 * patience_ms < LOOK_MAX_MS ? 2 * patience_ms : LOOK_MAX_MS;
        } else if (++looks == LOOKS) {
            return result;
        } else {
            patience_ms = SLICE_MS;
        }
    }
}

/* NULL: there are no more. */
static enum result next(struct postgres_link *link, PGresult **result, struct err *err)
{
    *result = NULL;
    while (PQisBusy(link->conn)) {
        enum result waited = wait_for_answer(link, err);

        if (waited != RESULT_OK) {
            return waited;
        }
        if (!PQconsumeInput(link->conn)) {
            return fail_connection(link, err);
        }
    }
    *result = PQgetResult(link->conn);
    return RESULT_OK;
}

static void tell_rows(const PGresult *got, postgres_row_fn *row, void *context)
{
    const char *values[POSTGRES_ASK_COLUMNS_MAX];
    int count = PQnfields(got);

    for (int i = 0; row && count <= POSTGRES_ASK_COLUMNS_MAX && i < PQntuples(got); i++) {
        for (int n = 0; n < count; n++) {
            values[n] = PQgetisnull(got, i, n) ? NULL : PQgetvalue(got, i, n);
        }
        row(context, values, count);
    }
}

/* All that was sent is done; the first failure counts. */
static enum result end_statement(struct postgres_link *link, postgres_row_fn *row, void *context,
                                 struct err *err)
{
    enum result result = RESULT_OK;
    PGresult *got;

    for (;;) {
        enum result waited = next(link, &got, err);

        if (waited != RESULT_OK || !got) {
            return waited != RESULT_OK ? waited : result;
        }
        if (result == RESULT_OK && PQresultStatus(got) == PGRES_TUPLES_OK) {
            tell_rows(got, row, context);
        } else if (result == RESULT_OK && PQresultStatus(got) != PGRES_COMMAND_OK &&
                   PQresultStatus(got) != PGRES_EMPTY_QUERY) {
            result = fail_statement(link, got, err);
        }
        PQclear(got);
        if (PQstatus(link->conn) == CONNECTION_BAD) {
            return result;
        }
    }
}

static enum result send(struct postgres_link *link, struct buf *sql, struct err *err)
{
    const char *text = buf_cstr(sql);

    if (!text) {
        return err_nomem(err, "writing to PostgreSQL");
    }
    return PQsendQuery(link->conn, text) ? flush(link, err) : fail_connection(link, err);
}

enum result postgres_link_ask(struct postgres_link *link, struct buf *sql, postgres_row_fn *row,
                              void *context, struct err *err)
{
    enum result result = send(link, sql, err);

    return result == RESULT_OK ? end_statement(link, row, context, err) : result;
}

enum result postgres_link_run(struct postgres_link *link, struct buf *sql, struct err *err)
{
    return postgres_link_ask(link, sql, NULL, NULL, err);
}

/* --- rows ---------------------------------------------------------------------------------------------- */

enum result postgres_link_copy(struct postgres_link *link, struct buf *sql, struct err *err)
{
    enum result result = send(link, sql, err);
    PGresult *got = NULL;

    result = result == RESULT_OK ? next(link, &got, err) : result;
    if (result == RESULT_OK && PQresultStatus(got) != PGRES_COPY_IN) {
        result = fail_statement(link, got, err);
    }
    PQclear(got);
    return result;
}

/* Each part is away before the next one, so that no more than one lies in memory; and what the server says meanwhile is
 * looked at: a connection that broke is known at once. */
enum result postgres_link_put(struct postgres_link *link, struct str bytes, struct err *err)
{
    enum result result = RESULT_OK;

    while (bytes.len && result == RESULT_OK) {
        size_t len = bytes.len < PUT_BYTES ? bytes.len : PUT_BYTES;

        if (PQputCopyData(link->conn, bytes.data, (int)len) != 1) {
            return fail_connection(link, err);
        }
        result = flush(link, err);
        if (result == RESULT_OK && !PQconsumeInput(link->conn)) {
            result = fail_connection(link, err);
        }
        bytes = (struct str){ bytes.data + len, bytes.len - len };
    }
    return result;
}

enum result postgres_link_put_end(struct postgres_link *link, struct err *err)
{
    enum result result;

    if (PQputCopyEnd(link->conn, NULL) != 1) {
        return fail_connection(link, err);
    }
    result = flush(link, err);
    return result == RESULT_OK ? end_statement(link, NULL, NULL, err) : result;
}

/* --- connecting ---------------------------------------------------------------------------------------- */

/* A server's notices are for who looks into its log. */
static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static PGconn *begin_connecting(const char *url, bool *is_senseless)
{
    PGconn *conn;
    struct postgres_secret secret = postgres_place_secret(url);
    /* What stands before dbname may be said otherwise in the URL. */
    const char *const keys[] = { "fallback_application_name",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 "dbname",
                                 "password",
                                 "sslpassword",
                                 "client_encoding",
                                 NULL };
    const char *const values[] = {
        "scrapetop",         "30",   "10", "3", "60000", url, secret.password,
        secret.tls_password, "UTF8", NULL
    };

    conn = PQconnectStartParams(keys, values, 1);
    *is_senseless = conn && PQstatus(conn) == CONNECTION_BAD &&
                    PQpingParams(keys, values, 1) == PQPING_NO_ATTEMPT;
    return conn;
}

/* As libpq has it, 0 and less stand for no limit of the user's: ours counts. */
static int64_t timeout_ms(PGconn *conn)
{
    PQconninfoOption *options = PQconninfo(conn);
    int64_t ms = CONNECT_MS;
    uint64_t seconds;

    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, "connect_timeout") == 0 && str_to_u64(str_view(o->val), &seconds) &&
            seconds > 0) {
            ms = (int64_t)(seconds < CONNECT_S_MAX ? seconds : CONNECT_S_MAX) * 1000;
        }
    }
    PQconninfoFree(options);
    return ms;
}

static enum result connect_fully(struct postgres_link *link, struct err *err)
{
    int64_t until_ms = now_ms() + timeout_ms(link->conn);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    PQsetErrorVerbosity(link->conn, PQERRORS_VERBOSE); /* with its SQLSTATE */
    while (PQstatus(link->conn) != CONNECTION_BAD && status != PGRES_POLLING_OK &&
           status != PGRES_POLLING_FAILED) {
        enum result result =
            wait_for(link, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms, err);

        if (result != RESULT_OK) {
            return result;
        }
        status = PQconnectPoll(link->conn);
    }
    return PQstatus(link->conn) == CONNECTION_OK ? RESULT_OK : fail_connection(link, err);
}

/* Whether another connection gets an answer, be it a refusal, before its time is over. */
static bool lives(const struct postgres_link *link)
{
    struct postgres_link other = { .url = link->url, .stop = link->stop };
    struct err unused;
    bool is_senseless, is_silent;

    other.conn = begin_connecting(link->url, &is_senseless);
    is_silent = other.conn && connect_fully(&other, &unused) == RESULT_BUSY &&
                PQstatus(other.conn) != CONNECTION_BAD;
    PQfinish(other.conn);
    return !is_silent;
}

/* What libpq does not understand of a URL or of the environment will not be understood later either. */
static enum result check_url(const char *url, struct err *err)
{
    char *said = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &said);
    enum result result = RESULT_OK;

    if (!options) {
        result =
            said ? err_set(err, RESULT_INVALID, "E-ARG1", "%s: %.*s", url, first_line(said), said)
                 : err_nomem(err, "connecting to PostgreSQL");
    }
    PQconninfoFree(options);
    PQfreemem(said);
    return result;
}

enum result postgres_link_open(struct postgres_link **link, const char *url,
                               const atomic_bool *stop, struct err *err)
{
    struct postgres_link *l = calloc(1, sizeof *l);
    enum result result = check_url(url, err);
    bool is_senseless;

    *link = NULL;
    if (result != RESULT_OK || !l) {
        free(l);
        return result != RESULT_OK ? result : err_nomem(err, "connecting to PostgreSQL");
    }
    l->url = url;
    l->stop = stop;
    l->conn = begin_connecting(url, &is_senseless);
    if (!l->conn) {
        free(l);
        return err_nomem(err, "connecting to PostgreSQL");
    }
    PQsetNoticeReceiver(l->conn, ignore_notice, NULL);
    result = is_senseless ? err_set(err, RESULT_INVALID, "E-ARG1", "%s: %.*s", url,
                                    first_line(PQerrorMessage(l->conn)), PQerrorMessage(l->conn))
                          : connect_fully(l, err);
    if (result == RESULT_OK && PQsetnonblocking(l->conn, 1) != 0) {
        result = fail_connection(l, err);
    }
    if (result != RESULT_OK) {
        postgres_link_close(l);
        return result;
    }
    l->is_open = true;
    *link = l;
    return RESULT_OK;
}

void postgres_link_close(struct postgres_link *link)
{
    if (link) {
        PQfinish(link->conn);
        free(link);
    }
}
