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

#define OLD_LEDGER_HEADER "PRAGMA application_id=0x5354504C;PRAGMA user_version="

#endif
