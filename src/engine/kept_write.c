#include "engine/kept_write.h"

#include "engine/core.h"
#include "engine/engine_state.h"

#include <stdlib.h>

struct kept_write {
    struct work_item item;
    struct engine *engine;
    const struct kept_file *file;
    struct buf text;
    enum result result;
    struct err err;
    void (*done)(struct engine *engine, enum result result, const struct err *err);
};

static void run(struct work_item *item)
{
    struct kept_write *w = (struct kept_write *)(void *)item;

    w->result = kept_file_write(w->file, buf_view(&w->text), &w->err);
}

/* One that was cancelled is made up for here: the engine closes, and nobody waits for the loop. */
static void finish(struct work_item *item, bool cancelled)
{
    struct kept_write *w = (struct kept_write *)(void *)item;
    struct engine *e = w->engine;

    if (cancelled) {
        run(item);
    }
    e->judging.count--;
    w->done(e, w->result, &w->err);
    auth_wipe(&w->text);
    free(w);
    engine_want_turn(e);
}

void kept_write(struct engine *e, const struct kept_file *file, struct buf *text,
                void (*done)(struct engine *engine, enum result result, const struct err *err))
{
    struct kept_write *w = calloc(1, sizeof *w);
    struct err err;

    if (!w) {
        enum result result = kept_file_write(file, buf_view(text), &err);

        auth_wipe(text);
        done(e, result, &err);
        return;
    }
    *w = (struct kept_write){ .engine = e, .file = file, .text = *text, .done = done };
    *text = (struct buf){ 0 };
    w->item.run = run;
    w->item.done = finish;
    e->judging.count++;
    work_submit(&e->judging.pool, &w->item);
}
