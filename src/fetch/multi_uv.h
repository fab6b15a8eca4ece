/**
 * libcurl's multi interface on a libuv loop; the only file that knows both.
 *
 * Transfers are spread over several multi handles ("lanes") of MULTI_UV_LANE each, because in libcurl
 * 7.88 a multi handle's cost per transfer grows with the transfers that it holds. Every transfer's
 * end is seen: finished ones are collected after each call into libcurl, the kick-off and the timers
 * included.
 *
 * How a socket lives: it enters the socket set (fetch/socket_set.h) when libcurl first wants it watched, stays
 * watched for reading while the connection idles (so a kept connection costs no epoll_ctl per request) and is
 * taken out from libcurl's close-socket callback, before the descriptor can be used again. Sockets that
 * libcurl opens or closes without asking us (its resolver's; those that never got connected) are taken out at
 * once when it says CURL_POLL_REMOVE.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_MULTI_UV_H
#define SCRAPETOP_FETCH_MULTI_UV_H

#include "base/err.h"
#include "fetch/standstill.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define MULTI_UV_LANE 64 /* transfers to a lane */

struct multi_uv;
struct lane;

typedef void (*multi_uv_done)(void *context, CURL *easy, CURLcode code);
typedef void (*multi_uv_broken)(void *context, struct lane *lane);
typedef void (*multi_uv_stood_still)(void *context, const struct standstill_time *lost);

struct multi_uv_callbacks {
    multi_uv_done on_done;
    multi_uv_broken on_broken;
    multi_uv_stood_still on_stood_still;
    /* Whether any handle is paused. Then libcurl may wait no more for a socket that is in use, without having
     * said so: nothing that comes is taken for talk of an idle one. */
    bool (*has_paused)(void *context);
    /* Whether the connection of this handle is told things while it idles, as those of HTTP/2 are. Others that have
     * something to read then are not used again. */
    bool (*may_talk)(CURL *easy);
    /* Behind every call into libcurl: the time to let paused handles go on. */
    void (*acted)(void *context);
};

/** `on_done` is called once for every transfer that ended; its handle is out of the multi by then.
 *  `on_broken` when libcurl has failed within itself, for want of memory: it then takes all that run in
 *  that lane out of it (multi_uv_remove), for what becomes of them is not known. New ones go elsewhere
 *  until the lane has a new multi handle: the old one may not be used again (in 7.88 a table of its
 *  sockets may be left without slots, and it divides by their number). `on_stood_still` when the process
 *  did not run for a while (fetch/standstill.h), before libcurl hears of anything that came meanwhile. */
MUST_CHECK enum result multi_uv_new(struct multi_uv **multi, uv_loop_t *loop,
                                    const struct multi_uv_callbacks *callbacks, void *context,
                                    struct err *err);

/** Whether it stood still; for timers, which may run before anything comes. */
void multi_uv_look(struct multi_uv *multi);

/** It did, for so long, within the callback that tells. */
void multi_uv_note_standstill(struct multi_uv *multi, uint64_t lost_us);

/** Adds a prepared handle; transfers of one `affinity` share connections where they can. NULL when
 *  it could not be added, and then on_done does not come. */
struct lane *multi_uv_add(struct multi_uv *multi, CURL *easy, uint32_t affinity);

/** Takes a running handle out; on_done does not come. */
void multi_uv_remove(struct lane *lane, CURL *easy);

/** Lets added handles begin; must follow multi_uv_add. Does nothing within on_done, after which it
 *  happens by itself. */
void multi_uv_kick(struct multi_uv *multi);

/** Closes the kept connections of lanes without a transfer, when the present calls into libcurl are
 *  over: for when descriptors run out, since libcurl would rather fail than close an idle one. */
void multi_uv_drop_idle(struct multi_uv *multi);

/** For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION. */
void multi_uv_opened_socket(void *multi, int fd);
int multi_uv_close_socket(void *multi, curl_socket_t fd);

/** All handles must have been removed. Closes the connections some milliseconds' worth at a time, and frees the multi after
 *  `closed`, which comes on the loop. */
void multi_uv_close(struct multi_uv *multi, void (*closed)(void *context));

#endif
