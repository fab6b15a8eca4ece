/**
 * What the tests of tables share: a folder of a test's own, and files in it.
 */
#ifndef SCRAPETOP_TESTS_TABLE_FIXTURE_H
#define SCRAPETOP_TESTS_TABLE_FIXTURE_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

#define PATH_SIZE 512

/** Set-up and tear-down of a cmocka test. */
int folder_make(void **state);
int folder_remove(void **state); /* with all that is in it */

struct path {
    char text[PATH_SIZE];
};

/** Its path, "" for the folder's own. */
struct path in_folder(const char *name);

void put(const char *name, struct str text);

/** The whole file of that path, folder or not; false when there is none. */
bool get(const char *path, struct buf *text);

void assert_file(const char *name, const char *want);
unsigned count_files(void);

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

#endif
