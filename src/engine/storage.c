#include "engine/storage.h"

#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"

#include <stdio.h>
#include <string.h>

void storage_on_trouble(void *context, enum result result, const struct err *err)
{
    struct engine *e = context;
    char text[sizeof e->storage.trouble];

    if (result == RESULT_OK) {
        events_add(&e->events, EVENT_NOTICE, "disk", "", "%s: going on",
                   e->storage.state == RESULT_BUSY ? "the ledger is free again" : "space returned");
        e->storage.state = RESULT_OK;
        e->storage.trouble[0] = '\0';
        engine_want_turn(e);
        return;
    }
    snprintf(e->storage.trouble, sizeof e->storage.trouble, "%s", err->text);
    memcpy(e->storage.code, err->code, sizeof e->storage.code);
    e->storage.state = result;
    if (e->phase == ENGINE_CLOSING) {
        e->storage.last = *err;
    }
    engine_trouble_text(e, text, sizeof text);
    events_add(&e->events, result == RESULT_BUSY ? EVENT_WARNING : EVENT_ERROR, "disk", "", "%s",
               text);
    if (result != RESULT_FULL && result != RESULT_BUSY && e->phase != ENGINE_CLOSING) {
        engine_stop(e, err->text);
        fetch_cancel_all(e->fetch);
    }
    engine_want_turn(e);
}

void storage_on_tended(void *context, bool is_trouble, const char *text)
{
    struct engine *e = context;

    events_add(&e->events, is_trouble ? EVENT_WARNING : EVENT_NOTICE, "tended", "", "%s", text);
}
