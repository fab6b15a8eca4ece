/**
 * What the tests of tables share: a folder of a test's own, files in it, and a build that is watched or
 * cancelled.
 */
#ifndef SCRAPETOP_TESTS_TABLE_FIXTURE_H
#define SCRAPETOP_TESTS_TABLE_FIXTURE_H

#include "base/buf.h"
#include "base/str.h"
#include "table/table_build.h"

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

/** A file for struct table_options, by its ending. Of the last few calls. */
const struct table_output *output_of(const char *path);

#define ONE_OUTPUT(path) .outputs = output_of(path), .output_count = 1

/** The whole file of that path, folder or not; false when there is none. */
bool get(const char *path, struct buf *text);

void assert_file(const char *name, const char *want);
unsigned count_files(void);

/** Builds t.csv in the folder of the files `names` in it (up to a NULL; "-" is stdin), each in one piece. */
enum result build_files(const char *records, unsigned workers, struct table_report *report,
                        const char *const *names);

/** About `bytes` of lines, a new column every now and then, and one bad line. */
void put_many_lines(const char *name, size_t bytes);

struct watched {
    struct table_build *build;
    enum result result;
    unsigned calls;
};

/** The table_done_fn of a struct watched: all workers are back; frees the build. */
void watched_done(void *watched, const struct table_report *report);

/** A build on a loop of its own, with three workers, cancelled once the loop has turned so many times, unless
 *  it was complete by then: its result. Takes the source. */
enum result cancel_after(int turns, const struct table_options *options,
                         struct record_source *source);

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

#endif
