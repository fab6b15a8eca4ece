/**
 * Where a table goes in a PostgreSQL server: postgresql://[USER[:PASSWORD]@][HOST][:PORT]/DB[?parameters], or postgres://.
 *
 * The URL is shown, told and kept as the output's path. So a password is taken out of the words of the command line
 * before anything reads them: `ps` shows the URL without it from then on, and only who connects asks for it here.
 *
 * Source   PostgreSQL 15 documentation, libpq-connect, "Connection URIs".
 * Threads  postgres_place_hide before there are others; after that all is read-only.
 */
#ifndef SCRAPETOP_TABLE_POSTGRES_POSTGRES_PLACE_H
#define SCRAPETOP_TABLE_POSTGRES_POSTGRES_PLACE_H

#include "base/err.h"

#include <stdbool.h>

bool postgres_place_is(const char *path);

/** Takes the passwords out of the URLs in these words, in place. Where it is not clear which part is the password, all
 *  up to the last @ becomes "***", and postgres_place_check refuses the URL. */
void postgres_place_hide(int count, char **words);

/** E-ARG1: the URL is none that can be read safely, or has been one. */
MUST_CHECK enum result postgres_place_check(const char *url, struct err *err);

/* What was taken out of a URL, for who connects. */
struct postgres_secret {
    const char *password;     /* or NULL */
    const char *tls_password; /* of the key file; or NULL */
};

struct postgres_secret postgres_place_secret(const char *url);

#endif
