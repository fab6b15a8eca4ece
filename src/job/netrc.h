/**
 * Netrc: a file that says which user and password a host is told, as curl and ftp read it.
 *
 * Words with blanks or line breaks between: "machine HOST login NAME password WORD", "default login ...", "account WORD"
 * is passed over, "macdef NAME" up to an empty line, and "#" up to the line's end. A word in double quotes may have
 * blanks and \\n, \\r, \\t, \\", \\\\ in it. The first entry with the host's exact name counts (in any case), else "default".
 *
 * Ownership  buffers are the caller's, who overwrites them.
 * Errors     RESULT_NOT_FOUND: no entry. E-SEC1: the file cannot be read, or is none of this form.
 * Source     curl's manual, "--netrc"; netrc(5).
 * Threads    no state: any.
 */
#ifndef SCRAPETOP_JOB_NETRC_H
#define SCRAPETOP_JOB_NETRC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define NETRC_FILE_MAX (128 * 1024) /* bytes */

/** Appends what the text says for a host. RESULT_CORRUPT: it is no such text (`line` says where). */
MUST_CHECK enum result netrc_find(struct str text, struct str host, struct buf *user,
                                  struct buf *password, unsigned *line);

/** The same of a file; one that others can read is warned of (W-SEC1). */
MUST_CHECK enum result netrc_read(const char *path, struct str host, struct buf *user,
                                  struct buf *password, struct err *err);

#endif
