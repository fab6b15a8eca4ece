#include "history/past_run.h"

#include "store/event_log.h"

#include <string.h>

/* "a/b.run" is shown as "b". */
static void name_of(const char *path, char name[80])
{
    const char *slash = strrchr(path, '/');
    size_t length;

    path = slash ? slash + 1 : path;
    length = strlen(path);
    if (length > 4 && strcmp(path + length - 4, ".run") == 0) {
        length -= 4;
    }
    length = length < 79 ? length : 79;
    memcpy(name, path, length);
    name[length] = '\0';
}

enum result past_run_open(struct replay **replay, const char *path, struct err *err)
{
    struct buf lines = { 0 };
    struct run_dir dir;
    char name[80];
    enum result result = run_dir_open_readonly(&dir, path, err);

    if (result != RESULT_OK) {
        return result;
    }
    name_of(dir.path, name);
    result = event_log_read(&dir, PAST_RUN_EVENTS_MAX, &lines, err);
    run_dir_close(&dir);
    if (result == RESULT_OK) {
        result = replay_new(replay, buf_view(&lines), name, err);
    }
    buf_release(&lines);
    return result;
}
