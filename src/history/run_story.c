#include "history/run_story.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/json_scan.h"
#include "base/timestamp.h"
#include "history/past_run.h"
#include "store/event_log.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 8

static const struct {
    struct str event;
    enum story_kind kind;
} kinds[] = {
    { STR_INIT("cap"), STORY_CAP },      { STR_INIT("hold"), STORY_HOLD },
    { STR_INIT("breaker"), STORY_HOLD }, { STR_INIT("retry-after"), STORY_HOLD },
    { STR_INIT("on"), STORY_RULE },      { STR_INIT("pause"), STORY_PAUSE },
    { STR_INIT("resume"), STORY_PAUSE }, { STR_INIT("drain"), STORY_PAUSE },
    { STR_INIT("mark"), STORY_NOTE },    { STR_INIT("rate"), STORY_CAP },
    { STR_INIT("learned"), STORY_CAP },
};

static void text_of(struct str line, char *to, size_t size)
{
    struct str value;
    struct buf plain = { 0 };

    to[0] = '\0';
    if (json_find(line, STR("/text"), &value) &&
        json_unescape(&plain, json_string_raw(value), NULL) == RESULT_OK) {
        size_t len = plain.len < size - 1 ? plain.len : size - 1;

        if (len) {
            memcpy(to, plain.data, len);
        }
        to[len] = '\0';
    }
    buf_release(&plain);
}

static enum event_level level_of(struct str line)
{
    struct str value, raw = STR_NONE;

    if (json_find(line, STR("/level"), &value)) {
        raw = json_string_raw(value);
    }
    return str_equal(raw, STR("error"))     ? EVENT_ERROR
           : str_equal(raw, STR("warning")) ? EVENT_WARNING
           : str_equal(raw, STR("notice"))  ? EVENT_NOTICE
                                            : EVENT_INFO;
}

static enum result add_point(struct run_story *s, double t_s, struct str line)
{
    struct story_point *points =
        grow_by_one(s->points, s->point_count, &s->point_allocated, sizeof *points);

    if (!points) {
        return RESULT_NOMEM;
    }
    s->points = points;
    points[s->point_count] = (struct story_point){ .t_s = t_s, .begins = s->session_begins };
    sample_read(line, &points[s->point_count++].sample);
    s->session_begins = false;
    return RESULT_OK;
}

static enum result add_mark(struct run_story *s, enum story_kind kind, double t_s, struct str line)
{
    struct story_mark *marks, *mark;
    struct str value;
    uint64_t held_ms;

    if (s->kinds[kind]++ >= STORY_MARKS_MAX) {
        s->left_out[kind]++;
        return RESULT_OK;
    }
    marks = grow_by_one(s->marks, s->mark_count, &s->mark_allocated, sizeof *marks);
    if (!marks) {
        return RESULT_NOMEM;
    }
    s->marks = marks;
    mark = &marks[s->mark_count++];
    *mark = (struct story_mark){ .kind = kind, .t_s = t_s };
    if (json_find(line, STR("/hold_ms"), &value) && str_to_u64(str_trim(value), &held_ms)) {
        mark->held_s = (double)held_ms / 1000;
    }
    text_of(line, mark->text, sizeof mark->text);
    return RESULT_OK;
}

static void put_line(struct story_line *to, int64_t at_us, enum event_level level, struct str line)
{
    *to = (struct story_line){ .wall_us = at_us, .level = level };
    text_of(line, to->text, sizeof to->text);
}

static void begin_session(struct run_story *s, int64_t at_us)
{
    s->before_s = s->ran_s;
    s->session_us = at_us;
    s->session_begins = true;
    s->sessions++;
}

/* Clocks are set back, and lines of another session are never before those of this. */
static double time_of(struct run_story *s, int64_t at_us)
{
    double t_s =
        s->before_s + (at_us > s->session_us ? (double)(at_us - s->session_us) / US_PER_S : 0);

    s->ran_s = t_s > s->ran_s ? t_s : s->ran_s;
    return s->ran_s;
}

static enum result take_event(struct run_story *s, struct str event, int64_t at_us, struct str line)
{
    enum event_level level;
    double t_s = time_of(s, at_us);

    if (str_equal(event, STR("sample"))) {
        return add_point(s, t_s, line);
    }
    level = level_of(line);
    if (str_equal(event, STR("drift")) || str_equal(event, STR("types"))) {
        put_line(&s->drifts[s->drift_count++ % STORY_DRIFTS_MAX], at_us, level, line);
    }
    if (str_equal(event, STR("failed"))) { /* each request; the ledger has them */
        return RESULT_OK;
    }
    if (level >= EVENT_NOTICE) {
        put_line(&s->lines[s->line_count++ % STORY_LINES_MAX], at_us, level, line);
    }
    if (level == EVENT_ERROR) {
        return add_mark(s, STORY_ERROR, t_s, line);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (str_equal(event, kinds[i].event)) {
            return add_mark(s, kinds[i].kind, t_s, line);
        }
    }
    return RESULT_OK;
}

static enum result take_line(struct run_story *s, struct str line)
{
    struct str at, event;
    int64_t at_us;

    if (!json_check(line, DEPTH_MAX, NULL) || !json_find(line, STR("/at"), &at) ||
        !json_find(line, STR("/event"), &event) || !timestamp_parse(json_string_raw(at), &at_us)) {
        return RESULT_OK;
    }
    event = json_string_raw(event);
    s->is_cut |= !s->sessions && !str_equal(event, STR("start"));
    if (str_equal(event, STR("start")) || !s->sessions) {
        begin_session(s, at_us);
        if (s->sessions > 1 && add_mark(s, STORY_SESSION, s->ran_s, line) != RESULT_OK) {
            return RESULT_NOMEM;
        }
    }
    s->first_us = s->first_us ? s->first_us : at_us;
    s->last_us = at_us;
    return take_event(s, event, at_us, line);
}

enum result run_story_read(struct run_story *story, const struct run_dir *dir, struct err *err)
{
    struct buf lines = { 0 };
    enum result result = event_log_read(dir, PAST_RUN_EVENTS_MAX, &lines, err);
    struct str rest = buf_view(&lines);

    *story = (struct run_story){ 0 };
    if (result ==
        RESULT_NOT_FOUND) { /* somebody took it away: what was set aside before is left, if anything */
        result = RESULT_OK;
    }
    while (result == RESULT_OK && rest.len) {
        struct str line = str_cut(&rest, '\n');

        if (line.len && take_line(story, line) != RESULT_OK) {
            result = err_nomem(err, "reading events");
        }
    }
    buf_release(&lines);
    return result;
}

void run_story_release(struct run_story *story)
{
    free(story->points);
    free(story->marks);
    story->points = NULL;
    story->marks = NULL;
}
