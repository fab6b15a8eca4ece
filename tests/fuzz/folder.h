/**
 * A directory of a fuzz target's own, for what is read from files only. It is made when it is first asked for,
 * in memory where the machine has that, and removed at the end of the process.
 */
#ifndef SCRAPETOP_TESTS_FUZZ_FOLDER_H
#define SCRAPETOP_TESTS_FUZZ_FOLDER_H

#include <stddef.h>

#define FOLDER_PATH_MAX 256

struct folder_path {
    char text[FOLDER_PATH_MAX];
};

struct folder_path folder_at(const char *name);

/** Writes a file there, in the place of an older one. */
struct folder_path folder_put(const char *name, const void *bytes, size_t len);

/** The file's bytes, released with free(); NULL when there is none. */
char *folder_get(const char *name, size_t *len);

#endif
