/**
 * The ledger as scrapetops of before version 3 made it, word for word: never to be brought up to date.
 */
#ifndef SCRAPETOP_TESTS_OLD_LEDGER_H
#define SCRAPETOP_TESTS_OLD_LEDGER_H

#define OLD_LEDGER_1                                                                               \
    "CREATE TABLE request("                                                                        \
    " id INTEGER PRIMARY KEY, state INTEGER NOT NULL CHECK(state BETWEEN 1 AND 3),"                \
    " endpoint INTEGER NOT NULL,"                                                                  \
    " attempt INTEGER NOT NULL, status INTEGER NOT NULL, body INTEGER NOT NULL,"                   \
    " segment INTEGER, line_at INTEGER, line_bytes INTEGER, crc32c INTEGER,"                       \
    " key TEXT, reason TEXT, set_by TEXT, not_before_us INTEGER) STRICT;"                          \
    "CREATE INDEX request_open ON request(state) WHERE state<>1;"                                  \
    "CREATE TABLE segment("                                                                        \
    " number INTEGER PRIMARY KEY, committed INTEGER NOT NULL, last_batch INTEGER NOT NULL,"        \
    " body_bytes INTEGER NOT NULL, lines INTEGER NOT NULL) STRICT;"                                \
    "CREATE TABLE session("                                                                        \
    " number INTEGER PRIMARY KEY, pid INTEGER NOT NULL, started_us INTEGER NOT NULL,"              \
    " ended_us INTEGER, clean INTEGER) STRICT;"                                                    \
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"      \
    ""

/* What version 2 has besides. */
#define OLD_LEDGER_2                                                                               \
    "CREATE TABLE found("                                                                          \
    " id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, digest BLOB NOT NULL, place BLOB NOT "    \
    "NULL,"                                                                                        \
    " key TEXT NOT NULL, url TEXT NOT NULL, body TEXT, vars TEXT, etag TEXT,"                      \
    " chain INTEGER, number INTEGER NOT NULL,"                                                     \
    " ordinal INTEGER NOT NULL, total INTEGER NOT NULL, expected INTEGER NOT NULL,"                \
    " size INTEGER NOT NULL, empty INTEGER NOT NULL, kind INTEGER NOT NULL,"                       \
    " named_by INTEGER NOT NULL, moved INTEGER NOT NULL) STRICT;"                                  \
    "CREATE UNIQUE INDEX found_once ON found(endpoint,digest);"                                    \
    "CREATE INDEX found_place ON found(endpoint,place);"                                           \
    "CREATE TABLE page_note("                                                                      \
    " request INTEGER NOT NULL, kind INTEGER NOT NULL, text TEXT NOT NULL,"                        \
    " PRIMARY KEY(request,kind)) STRICT, WITHOUT ROWID;"                                           \
    "CREATE TABLE polled("                                                                         \
    " what BLOB PRIMARY KEY, etag TEXT, digest BLOB NOT NULL) STRICT, WITHOUT ROWID;"              \
    ""

/* And version 3. */
#define OLD_LEDGER_3                                                                               \
    "ALTER TABLE request RENAME COLUMN set_by TO due_said;"                                        \
    "ALTER TABLE request ADD COLUMN outcome INTEGER;"                                              \
    "ALTER TABLE request ADD COLUMN class INTEGER;"                                                \
    "ALTER TABLE request ADD COLUMN due_by INTEGER;"                                               \
    "ALTER TABLE request ADD COLUMN due_wait_us INTEGER;"                                          \
    "ALTER TABLE request ADD COLUMN due_ceiling_us INTEGER;"                                       \
    "ALTER TABLE request ADD COLUMN due_host TEXT;"                                                \
    "ALTER TABLE request ADD COLUMN due_length_us INTEGER;"                                        \
    "ALTER TABLE request ADD COLUMN due_at_us INTEGER;"                                            \
    "ALTER TABLE request ADD COLUMN due_boot INTEGER;"                                             \
    "ALTER TABLE request ADD COLUMN url TEXT;"                                                     \
    "CREATE TABLE said("                                                                           \
    " request INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, headers TEXT NOT NULL,"                 \
    " body BLOB NOT NULL, body_bytes INTEGER NOT NULL) STRICT;"                                    \
    "CREATE TABLE exchange("                                                                       \
    " request INTEGER PRIMARY KEY, url TEXT, asked INTEGER NOT NULL, waited_us INTEGER "           \
    " NOT NULL, is_foreign INTEGER NOT NULL, from_public INTEGER NOT NULL,"                        \
    " with_get INTEGER NOT NULL) STRICT;"                                                          \
    "CREATE TABLE kept(name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;"          \
    "ALTER TABLE found ADD COLUMN came INTEGER NOT NULL DEFAULT 0;"                                \
    "ALTER TABLE found ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;"                            \
    "ALTER TABLE found ADD COLUMN most INTEGER NOT NULL DEFAULT 0;"                                \
    "ALTER TABLE found ADD COLUMN records_type INTEGER NOT NULL DEFAULT 0;"                        \
    "ALTER TABLE found ADD COLUMN records_at INTEGER NOT NULL DEFAULT 0;"                          \
    "ALTER TABLE found ADD COLUMN basis INTEGER NOT NULL DEFAULT 0;"                               \
    "ALTER TABLE found ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;"                             \
    "CREATE TABLE page("                                                                           \
    " endpoint INTEGER NOT NULL, chain INTEGER NOT NULL, id INTEGER NOT NULL,"                     \
    " ordinal INTEGER NOT NULL, records INTEGER NOT NULL, total INTEGER,"                          \
    " expected INTEGER NOT NULL, size INTEGER NOT NULL, crc32c INTEGER NOT NULL,"                  \
    " ended INTEGER NOT NULL, PRIMARY KEY(endpoint,chain,id)) STRICT, WITHOUT ROWID;"              \
    "CREATE TABLE sending("                                                                        \
    " id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, attempt INTEGER NOT NULL,"                \
    " key TEXT NOT NULL, url TEXT NOT NULL) STRICT;"                                               \
    ""

/* And version 4. */
#define OLD_LEDGER_4                                                                               \
    "CREATE TABLE gone(id INTEGER PRIMARY KEY, pruned INTEGER NOT NULL) STRICT;"                   \
    ""

/* And version 5. */
#define OLD_LEDGER_5                                                                               \
    "ALTER TABLE polled ADD COLUMN request INTEGER;"                                               \
    "ALTER TABLE polled ADD COLUMN at_us INTEGER;"                                                 \
    ""

#define OLD_LEDGER_HEADER "PRAGMA application_id=0x5354504C;PRAGMA user_version="

#endif
