/* The desk's part for the common login: what the loop puts there, and the thread's call. */
#include "fleet/fleet_login.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "base/json_write.h"
#include "fleet/fleet_state.h"
#include "fleet/reply.h"

#include <stdio.h>
#include <string.h>

#define ASK_AGAIN_US (200 * US_PER_MS) /* while another worker logs in */

static void wake(struct fleet *f)
{
    f->is_urgent = true;
    uv_cond_signal(&f->wanted);
}

void fleet_login_ask(struct fleet *f, const struct fleet_login_ask *ask)
{
    uv_mutex_lock(&f->lock);
    f->login.asks = true;
    f->login.ask = *ask;
    f->login.asked_us = 0;
    wake(f);
    uv_mutex_unlock(&f->lock);
}

void fleet_login_rest(struct fleet *f, bool gives_up)
{
    uv_mutex_lock(&f->lock);
    f->login.asks = false;
    f->login.gives_up |= gives_up;
    if (gives_up) {
        wake(f);
    }
    uv_mutex_unlock(&f->lock);
}

void fleet_login_put(struct fleet *f, struct str sealed, uint64_t life_us, bool keeps)
{
    uv_mutex_lock(&f->lock);
    buf_reset(&f->login.sealed);
    f->login.puts = buf_append_str(&f->login.sealed, sealed) == RESULT_OK;
    f->login.gives_up |= !f->login.puts;
    f->login.life_us = life_us;
    f->login.keeps = keeps;
    f->login.asks = false;
    wake(f);
    uv_mutex_unlock(&f->lock);
}

void fleet_login_note_own(struct fleet *f)
{
    uv_mutex_lock(&f->lock);
    f->login.is_own = true;
    wake(f);
    uv_mutex_unlock(&f->lock);
}

bool fleet_login_take(struct fleet *f, struct fleet_login_news *news)
{
    bool has;

    uv_mutex_lock(&f->lock);
    has = f->login.has_news;
    *news = f->login.news;
    f->login.news = (struct fleet_login_news){ .may = false };
    f->login.has_news = false;
    uv_mutex_unlock(&f->lock);
    return has;
}

void fleet_login_release(struct fleet *f)
{
    buf_release(&f->login.sealed);
    buf_release(&f->login.news.sealed);
}

/* --- the thread's ----------------------------------------------------------------------------------- */

/* RESULT_NOT_FOUND: there is nothing to say or to ask now. */
static enum result write_login(struct fleet *f)
{
    struct login_desk *d = &f->login;
    uint64_t now_us = fleet_now_us();
    bool asks = d->asks && (!d->asked_us || now_us >= d->asked_us + ASK_AGAIN_US);
    struct json_writer w;

    if (!asks && !d->puts && !d->gives_up && !d->is_own) {
        return RESULT_NOT_FOUND;
    }
    buf_reset(&f->argument);
    w = json_write_begin(&f->argument);
    json_write_object(&w, NULL);
    json_write_text(&w, "name", str_view(f->options.worker));
    json_write_text(&w, "token", str_view(f->token));
    json_write_text(&w, "epoch", str_view(f->epoch));
    json_write_bool(&w, "asks", asks);
    json_write_text(&w, "have", str_view(d->ask.have));
    json_write_text(&w, "void", str_view(asks && d->ask.is_refused ? d->ask.have : ""));
    json_write_uint(&w, "most", d->ask.most_us / US_PER_MS + 1);
    json_write_bool(&w, "gives_up", d->gives_up);
    json_write_bool(&w, "own", d->is_own);
    json_write_uint(&w, "life", d->life_us);
    if (d->puts) {
        json_write_text(&w, "sealed", buf_view(&d->sealed));
        json_write_bool(&w, "keeps", d->keeps);
    }
    json_write_object_end(&w);
    return w.result;
}

/* Once it has arrived. What was put on the desk meanwhile stays. */
static void clear_desk(struct login_desk *d, bool was_put, bool gave_up, bool was_own)
{
    d->puts &= !was_put;
    d->gives_up &= !gave_up;
    d->is_own &= !was_own;
}

static enum result read_login(struct fleet *f, bool was_put, bool was_own, struct err *err)
{
    struct str reply = buf_view(&f->reply);
    struct str sealed = fleet_reply_member(reply, "sealed");
    struct fleet_login_news news = { .is_put = was_put, .is_own = was_own };

    news.may = str_equal(fleet_reply_member(reply, "may"), STR("true"));
    news.logins = fleet_reply_number(reply, "logins");
    news.left_us = fleet_reply_number(reply, "left");
    fleet_reply_text(reply, was_put ? "mine" : "n", news.number, sizeof news.number);
    if (json_type_of(sealed) == JSON_STRING && sealed.len < FLEET_SEALED_MAX) {
        if (json_unescape(&news.sealed, json_string_raw(sealed), NULL) != RESULT_OK) {
            return err_nomem(err, "reading of the fleet");
        }
    }
    uv_mutex_lock(&f->lock);
    buf_release(&f->login.news.sealed);
    news.is_put |= f->login.news.is_put;
    news.is_own |= f->login.news.is_own;
    f->login.news = news;
    f->login.has_news = true;
    uv_mutex_unlock(&f->lock);
    return RESULT_OK;
}

enum result fleet_login_turn(struct fleet *f, struct err *err)
{
    enum fleet_answer answer = FLEET_OK;
    bool was_put, gave_up, was_own;
    struct str argument;
    enum result result;

    uv_mutex_lock(&f->lock);
    result = write_login(f);
    was_put = f->login.puts;
    gave_up = f->login.gives_up;
    was_own = f->login.is_own;
    uv_mutex_unlock(&f->lock);
    if (result != RESULT_OK) {
        return result == RESULT_NOT_FOUND ? RESULT_OK : err_nomem(err, "telling the fleet");
    }
    argument = buf_view(&f->argument);
    result = fleet_client_call(f->client, FLEET_LOGIN, &argument, 1, &f->reply, err);
    if (result == RESULT_OK) {
        result = fleet_answer_read(buf_view(&f->reply), &answer, err);
    }
    if (result == RESULT_OK && answer != FLEET_OK) {
        return err_set(err, RESULT_BUSY, "E-FLEET5", "the job was made anew meanwhile");
    }
    if (result == RESULT_OK) {
        uv_mutex_lock(&f->lock);
        f->login.asked_us = fleet_now_us();
        clear_desk(&f->login, was_put, gave_up, was_own);
        uv_mutex_unlock(&f->lock);
        result = read_login(f, was_put, was_own, err);
    }
    return result;
}
