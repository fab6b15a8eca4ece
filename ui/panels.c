#include "ui/panels.h"

const struct panel *const panels[PANEL_COUNT] = {
    [PANEL_FLIGHTS] = &panel_flights,
    [PANEL_WAITS] = &panel_waits,
    [PANEL_NORMALISE] = &panel_normalise,
    [PANEL_RATE] = &panel_rate,
    [PANEL_CORES] = &panel_cores,
    [PANEL_LOG] = &panel_log,
    [PANEL_HOSTS] = &panel_hosts,
    [PANEL_FAILED] = &panel_failed,
    [PANEL_DETAIL] = &panel_detail,
    [PANEL_ENDPOINTS] = &panel_endpoints,
    [PANEL_LADDER] = &panel_ladder,
    [PANEL_ANSWERS] = &panel_answers,
    [PANEL_EACH_FAILED] = &panel_each_failed,
    [PANEL_WORKERS] = &panel_workers,
};

bool panel_exists(enum panel_id id, const struct snapshot *s)
{
    return !panels[id]->exists || panels[id]->exists(s);
}

static bool has_row(enum panel_id id, const struct snapshot *s, size_t row)
{
    return row < panels[id]->source->count(s);
}

uint64_t panel_request_id(enum panel_id id, const struct snapshot *s, size_t row)
{
    return panels[id]->request_id && has_row(id, s, row) ? panels[id]->request_id(s, row) : 0;
}

const char *panel_host(enum panel_id id, const struct snapshot *s, size_t row)
{
    return panels[id]->host && has_row(id, s, row) ? panels[id]->host(s, row) : NULL;
}

void panel_draw(enum panel_id id, const struct panel_scene *scene, struct pane pane)
{
    unsigned digit = id <= PANEL_ENDPOINTS ? (unsigned)id + 1 : 0; /* those that a digit leads to */

    panel_draw_one(panels[id], digit, scene, pane);
}
