/**
 * One line of a URL list: `https://…` as it stands, or `{"name": "…", "url": "https://…"}`.
 *
 * Ownership  list_entry_release frees the reader's texts; an entry's views are good until the next line.
 * Errors     E-IN1 a bad line (RESULT_INVALID), E-URL1 to E-URL7 its URL. They do not name the line.
 */
#ifndef SCRAPETOP_JOB_LIST_ENTRY_H
#define SCRAPETOP_JOB_LIST_ENTRY_H

#include "base/buf.h"
#include "base/url.h"

#define LIST_LINE_MAX (64 * 1024)
#define LIST_NAME_MAX 256 /* bytes of a name */

struct list_entry {
    struct str name; /* as given, or empty */
    struct str url;  /* has passed url_split */
};

struct list_entry_reader {
    struct buf name, url;            /* the entry's texts, when they came from JSON */
    char origin[URL_ORIGIN_MAX + 8]; /* "https://host" of the last good URL, as written there */
    size_t origin_len;
};

void list_entry_init(struct list_entry_reader *reader);
void list_entry_release(struct list_entry_reader *reader);

/** Reads a line. `entry->url` stays empty for one that holds nothing. */
MUST_CHECK enum result list_entry_read(struct list_entry_reader *reader, struct str line,
                                       struct list_entry *entry, struct err *err);

#endif
