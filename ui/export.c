#include "ui/export.h"

#include "ui/export_row.h"
#include "ui/panels.h"

const char *export_name(enum panel_id panel)
{
    return panels[panel]->export.name;
}

enum result export_rows(enum panel_id panel, const struct snapshot *s, const struct list *list,
                        bool json, struct buf *out)
{
    struct export_row r = { .out = out, .json = json };

    if (!panels[panel]->export.row || !list->count) {
        return RESULT_NOT_FOUND;
    }
    if (!json) {
        r.naming = true;
        panels[panel]->export.row(&r, s, list->rows[0]);
        export_append(&r, STR("\n"));
        r.naming = false;
    }
    for (size_t i = 0; i < list->count; i++) {
        export_append(&r, !json ? STR_NONE : i ? STR(",\n{") : STR("[{"));
        r.begun = false;
        panels[panel]->export.row(&r, s, list->rows[i]);
        export_append(&r, json ? STR("}") : STR("\n"));
    }
    export_append(&r, json ? STR("]\n") : STR_NONE);
    return r.result;
}
