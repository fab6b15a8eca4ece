#include "store/dropped.h"

#include "base/os.h"
#include "store/ledger_retire.h"
#include "store/segment_pack.h"

#include <errno.h>
#include <unistd.h>

struct removing {
    int raw_fd;
    uint32_t count;
};

static enum result remove_files(void *context, uint32_t number, struct err *err)
{
    struct removing *r = context;
    char name[SEGMENT_NAME_SIZE], packed[SEGMENT_PACKED_SIZE];

    r->count++;
    segment_name(number, name);
    segment_packed_name(number, packed);
    if ((unlinkat(r->raw_fd, name, 0) && errno != ENOENT) ||
        (unlinkat(r->raw_fd, packed, 0) && errno != ENOENT)) {
        return segment_disk_error(err, errno, "remove", name);
    }
    return RESULT_OK;
}

enum result dropped_remove(struct ledger *ledger, int raw_fd, struct err *err)
{
    struct removing r = { .raw_fd = raw_fd };
    enum result result = ledger_each_dropped(ledger, remove_files, &r, err);

    if (result != RESULT_OK || !r.count) {
        return result;
    }
    return os_fsync(raw_fd) ? segment_disk_error(err, errno, "sync", SEGMENT_DIR)
                            : ledger_forget_dropped(ledger, err);
}

enum result dropped_remove_live(struct ledger *ledger, int raw_fd, struct err *err)
{
    enum result result = RESULT_OK;
    int hold;

    if (segment_pack_hold(raw_fd, &hold)) {
        result = dropped_remove(ledger, raw_fd, err);
        segment_pack_release(raw_fd, hold);
    }
    return result;
}
