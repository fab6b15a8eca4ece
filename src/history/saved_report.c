#include "history/saved_report.h"

#include "base/json_scan.h"

#include <unistd.h>

#define BYTES_MAX (8 << 20)
#define DEPTH_MAX 16

enum result saved_report_write(const struct run_dir *dir, struct str json, struct err *err)
{
    return run_dir_replace(dir, SAVED_REPORT_FILE, json, err);
}

void saved_report_forget(const struct run_dir *dir)
{
    (void)unlinkat(dir->fd, SAVED_REPORT_FILE, 0);
}

bool saved_report_read(const struct run_dir *dir, struct buf *json)
{
    if (run_dir_read(dir, SAVED_REPORT_FILE, BYTES_MAX, json, NULL) == RESULT_OK &&
        json_check(buf_view(json), DEPTH_MAX, NULL)) {
        return true;
    }
    buf_reset(json);
    return false;
}
