/* Four ways to get the commit protocol wrong, each a build of the driver: a harness that finds nothing
 * wrong with one of them would find nothing wrong with a real mistake either.
 *
 * The linker puts these in the place of the real functions (--wrap), so the store itself has no
 * trace of them. */
#include "store/ledger_sql.h"
#include "store/segment.h"
#include "store/segment_scan.h"

#if defined(MUTANT_KEEP_TAIL)

/* The uncommitted tail is kept at the start, and new lines are written after it. */
enum result __wrap_segment_recover(int raw_fd, const struct segment_extent *extent,
                                   uint64_t *discarded, struct err *err);

enum result __wrap_segment_recover(int raw_fd, const struct segment_extent *extent,
                                   uint64_t *discarded, struct err *err)
{
    (void)raw_fd;
    (void)extent;
    (void)discarded;
    (void)err;
    return RESULT_OK;
}

#elif defined(MUTANT_COMMIT_FIRST)

/* The ledger hears of lines that are not written yet. */
enum result __real_segment_flush(struct segment *segment, struct err *err);
enum result __real_segment_sync(struct segment *segment, struct err *err);
enum result __real_ledger_commit(struct ledger *ledger, struct err *err);
enum result __wrap_segment_flush(struct segment *segment, struct err *err);
enum result __wrap_segment_sync(struct segment *segment, struct err *err);
enum result __wrap_ledger_commit(struct ledger *ledger, struct err *err);

static struct segment *unwritten;

enum result __wrap_segment_flush(struct segment *segment, struct err *err)
{
    (void)err;
    unwritten = segment;
    return RESULT_OK;
}

enum result __wrap_segment_sync(struct segment *segment, struct err *err)
{
    (void)segment;
    (void)err;
    return RESULT_OK;
}

enum result __wrap_ledger_commit(struct ledger *ledger, struct err *err)
{
    enum result result = __real_ledger_commit(ledger, err);

    if (result == RESULT_OK && unwritten) {
        result = __real_segment_flush(unwritten, err);
        if (result == RESULT_OK) {
            result = __real_segment_sync(unwritten, err);
        }
        unwritten = NULL;
    }
    return result;
}

#elif defined(MUTANT_NO_SYNC)

/* The segment is never synced: no kill will ever show it, a power loss does. */
enum result __wrap_segment_sync(struct segment *segment, struct err *err);

enum result __wrap_segment_sync(struct segment *segment, struct err *err)
{
    (void)segment;
    (void)err;
    return RESULT_OK;
}

#elif defined(MUTANT_LAZY_LEDGER)

/* The ledger commits without syncing its log. */
enum result __real_ledger_open(struct ledger **ledger, const struct run_dir *dir, bool *created,
                               struct err *err);
enum result __wrap_ledger_open(struct ledger **ledger, const struct run_dir *dir, bool *created,
                               struct err *err);

enum result __wrap_ledger_open(struct ledger **ledger, const struct run_dir *dir, bool *created,
                               struct err *err)
{
    enum result result = __real_ledger_open(ledger, dir, created, err);

    if (result == RESULT_OK) {
        (void)sqlite3_exec((*ledger)->db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    }
    return result;
}

#else
#error "which mutant?"
#endif
