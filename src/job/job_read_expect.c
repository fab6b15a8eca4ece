/* "expect": what a table must hold to be taken. */
#include "base/table_expect.h"
#include "job/job_read.h"

#define EXPECT(field) offsetof(struct job_expect, field)

/* clang-format off */
static const struct job_key expect_keys[] = {
    { "rows", JOB_KEY_TEXT, EXPECT(rows),
      .help = "How many rows: a number after >=, >, <=, < or =, as in >= 1000" },
    { "unique", JOB_KEY_TEXTS, EXPECT(unique), .count = EXPECT(unique_count),
      .help = "No two rows have the same values in these columns" },
    { "not_null", JOB_KEY_TEXTS, EXPECT(not_null), .count = EXPECT(not_null_count),
      .help = "Each row has a value in each of these columns" },
    { "types", JOB_KEY_TEXT, EXPECT(types),
      .help = "frozen: columns and their types are those of the last table of the run",
      .schema = JOB_JSON("enum": ["frozen"]) },
    { "fresh", JOB_KEY_TEXT, EXPECT(fresh),
      .help = "The latest time in a column is not older than that: /updated_at < 2d" },
};
/* clang-format on */

const struct job_keys job_expect_keys =
    JOB_KEYS("expect", expect_keys,
             .help = "What the table must hold; else the exit code is 6, the table goes to "
                     "NAME.rejected.ENDING, and the one that is there stays.");

static void check(struct job_reader *r, struct str value, const char *text,
                  enum result (*read)(struct table_expect *, struct str, struct err *))
{
    struct table_expect expect = { .rows = 0 };
    struct err err;

    if (text && read(&expect, str_view(text), &err) != RESULT_OK) {
        job_text_fault(&r->text, value, "E-CFG2", "\"expect\": %s", err.text);
    }
}

void job_read_expect(struct job_reader *r, void *target, struct str value)
{
    struct job_expect *expect = &((struct job_table *)target)->expect;

    (void)job_read_object(r, &job_expect_keys, expect, value);
    check(r, value, expect->rows, table_expect_rows);
    check(r, value, expect->types, table_expect_types);
    check(r, value, expect->fresh, table_expect_fresh);
}
