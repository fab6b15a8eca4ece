#include "history/saved_report.h"

#include "base/json_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BYTES_MAX (8 << 20)
#define DEPTH_MAX 16
#define TEMP_NAME SAVED_REPORT_FILE ".tmp"

enum result saved_report_write(const struct run_dir *dir, struct str json, struct err *err)
{
    ssize_t written;
    int fd;

    (void)unlinkat(dir->fd, TEMP_NAME, 0);
    if (run_dir_open_file(dir, TEMP_NAME, O_WRONLY | O_CREAT | O_TRUNC, &fd, err) != RESULT_OK) {
        return err ? err->result : RESULT_IO;
    }
    written = write(fd, json.data, json.len);
    if (close(fd) != 0 || written != (ssize_t)json.len ||
        renameat(dir->fd, TEMP_NAME, dir->fd, SAVED_REPORT_FILE) != 0) {
        err_set_write(err, errno, "E-DIR3", "%s/" SAVED_REPORT_FILE ": cannot write", dir->path);
        (void)unlinkat(dir->fd, TEMP_NAME, 0);
        return RESULT_IO;
    }
    return RESULT_OK;
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

bool saved_report_number(struct str json, struct str pointer, double *number)
{
    struct str value;
    char text[40];

    if (!json_find(json, pointer, &value) || json_type_of(value) != JSON_NUMBER) {
        return false;
    }
    value = str_trim(value);
    if (value.len >= sizeof text) {
        return false;
    }
    snprintf(text, sizeof text, "%.*s", STR_ARG(value));
    *number = strtod(text, NULL);
    return *number >= 0 && *number <= SAVED_REPORT_NUMBER_MAX; /* nor NaN */
}
