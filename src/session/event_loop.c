#include "session/event_loop.h"

#include "engine/descriptors.h"
#include "work/work.h"

#include <fcntl.h>
#include <unistd.h>

/* libuv's first loop makes a pipe for signals, after others, and aborts the process when there is no descriptor
 * for that. */
#define LOOP_DESCRIPTORS 6

static bool has_room_for_loop(void)
{
    int fds[LOOP_DESCRIPTORS];
    bool has_room = true;

    for (size_t i = 0; i < LOOP_DESCRIPTORS; i++) {
        fds[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
        has_room &= fds[i] >= 0;
    }
    for (size_t i = 0; i < LOOP_DESCRIPTORS; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    return has_room;
}

enum result event_loop_open(uv_loop_t *loop, struct err *err)
{
    enum result result;

    descriptors_raise();
    descriptors_widen();
    if (!has_room_for_loop() || uv_loop_init(loop) != 0) {
        return err_set(err, RESULT_NOMEM, "E-LOOP1", "cannot make an event loop");
    }
    result = work_pool_start(loop, err);
    if (result != RESULT_OK) {
        uv_loop_close(loop);
    }
    return result;
}
