#include "history/old_ledger.h"

#include "base/message.h"
#include "base/units.h"
#include "store/orphans.h"

#include <stdio.h>
#include <unistd.h>

void old_ledger_warn(const struct run_dir *dir, struct ledger *ledger)
{
    struct orphans orphans;
    char text[ERR_TEXT_MAX];
    int raw_fd;

    if (segment_dir_open(dir, false, &raw_fd, NULL) != RESULT_OK) {
        return;
    }
    if (orphans_at_rest(&orphans, dir, ledger, raw_fd, NULL) == RESULT_OK &&
        orphans.ledger_is_old) {
        snprintf(text, sizeof text,
                 "%.200s/raw holds %llu record%s that the ledger does not name: ledger.db-wal was "
                 "lost, or ledger.db is an older copy; what follows leaves them out",
                 dir->path, (unsigned long long)orphans.records, units_plural(orphans.records));
        message_warning("W-LEDG1", text);
    }
    close(raw_fd);
}
