#include "fetch/transfer_body.h"

#include "fetch/transfer_outcome.h"
#include "fetch/transfer_times.h"

#define FIRST_RESERVE_MAX (UINT64_C(1) << 20)
#define UNPACK_STEP_BYTES (64U << 10) /* between two questions whether there is memory */
#define UNPACK_ROOM_MIN (16U << 10)

/* More than FETCH_EXPANSION_MAX bytes out of each that came in. */
static bool expands_beyond_reason(const struct transfer *t)
{
    return t->coding && t->body_bytes >= FETCH_EXPANSION_FROM &&
           t->body_bytes / t->coded_bytes > FETCH_EXPANSION_MAX;
}

/* Room for what was announced, so that a body need not move as it grows; a liar gets no more than
 * FIRST_RESERVE_MAX. */
static enum result reserve_announced(struct transfer *t, size_t len)
{
    uint64_t want = t->announced < FIRST_RESERVE_MAX ? t->announced : FIRST_RESERVE_MAX;

    if (t->announced == UINT64_MAX || want <= len ||
        !transfer_status_is_good(t->response->status)) {
        return RESULT_OK;
    }
    return buf_reserve(&t->response->body, (size_t)want);
}

/* What is more when it comes compressed is not less when it is unpacked. */
static bool is_announced_too_big(const struct transfer *t)
{
    return t->announced != UINT64_MAX && t->announced > t->config->options->body_max_bytes &&
           transfer_status_is_good(t->response->status);
}

static bool is_refused(const struct transfer *t)
{
    return t->too_big || t->expands || t->no_memory || t->coding_fault != CODING_OK;
}

/* Of an error's body the head is enough, unless somebody reads it. */
static bool is_kept_whole(const struct transfer *t)
{
    return transfer_status_is_good(t->response->status) || transfer_endpoint(t)->whole_errors;
}

static void count_coding(struct transfer *t)
{
    size_t now = t->coding ? coding_memory(t->coding) : 0;

    *t->config->body_bytes += now;
    *t->config->body_bytes -= t->coding_bytes;
    t->coding_bytes = now;
}

/* Of an error the status says what there is to say, and the body is for people: one that cannot be unpacked is
 * as good as none. */
static void forgive_coding(struct transfer *t)
{
    if (t->coding_fault != CODING_OK && t->coding_fault != CODING_NO_MEMORY && !is_kept_whole(t)) {
        t->coding_fault = CODING_OK;
        t->unreadable = true;
    }
}

/* At the first bytes of a body. */
static void begin_body(struct transfer *t, size_t len)
{
    t->body_is_begun = true;
    t->response->status = transfer_status(t);
    t->too_big = is_announced_too_big(t);
    t->no_memory = !t->too_big && reserve_announced(t, len) != RESULT_OK;
    if (!is_refused(t) && (t->codings.count || t->codings.fault != CODING_OK)) {
        t->coding_fault = coding_open(&t->coding, &t->codings);
        forgive_coding(t);
        count_coding(t);
    }
}

/* So many bytes more of the body are there. */
static void count_body(struct transfer *t, size_t len)
{
    t->too_big |= len > t->config->options->body_max_bytes - t->body_bytes;
    t->body_bytes += t->too_big ? 0 : len;
    t->expands = expands_beyond_reason(t);
}

static void keep_plain(struct transfer *t, struct str piece)
{
    struct buf *body = &t->response->body;
    size_t before = body->len;

    count_body(t, piece.len);
    if (is_refused(t)) {
        return;
    }
    if (!is_kept_whole(t)) {
        size_t room = before < FETCH_ERROR_BODY_MAX ? FETCH_ERROR_BODY_MAX - before : 0;

        piece.len = piece.len < room ? piece.len : room;
    }
    t->no_memory = buf_append_str(body, piece) != RESULT_OK;
    *t->config->body_bytes += body->len - before;
}

/* Into the body itself: it need not be moved. */
static void unpack_whole(struct transfer *t, struct str *piece)
{
    struct buf *body = &t->response->body;
    size_t room = body->cap - body->len, made;

    if (room < UNPACK_ROOM_MIN) {
        t->no_memory = buf_reserve(body, UNPACK_ROOM_MIN) != RESULT_OK;
        room = body->cap - body->len;
    }
    if (t->no_memory) {
        return;
    }
    room = room < UNPACK_STEP_BYTES ? room : UNPACK_STEP_BYTES;
    t->coding_fault = coding_step(t->coding, piece, body->data + body->len, room, &made);
    count_body(t, made);
    body->len += made;
    *t->config->body_bytes += made;
}

static void unpack_head(struct transfer *t, struct str *piece)
{
    char bytes[UNPACK_ROOM_MIN];
    size_t made;

    t->coding_fault = coding_step(t->coding, piece, bytes, sizeof bytes, &made);
    keep_plain(t, (struct str){ bytes, made });
}

static bool unpack(struct transfer *t, struct str *piece)
{
    if (is_kept_whole(t)) {
        unpack_whole(t, piece);
    } else {
        unpack_head(t, piece);
    }
    forgive_coding(t);
    count_coding(t);
    return !is_refused(t) && !t->unreadable;
}

/* Step by step. When it has to wait in between, libcurl keeps the piece, and hands over all of it again, with
 * what may have come after it. */
static size_t take_coded(struct transfer *t, struct str piece, size_t len)
{
    while (unpack(t, &piece) && (piece.len || coding_has_more(t->coding))) {
        if (transfer_has_to_wait(t)) {
            t->piece_taken = len - piece.len;
            t->coded_bytes -= piece.len;
            return CURL_WRITEFUNC_PAUSE;
        }
    }
    return is_refused(t) ? 0 : len;
}

/* What of it has not been taken before. */
static struct str rest_of(struct transfer *t, const char *bytes, size_t len)
{
    size_t taken = t->piece_taken < len ? t->piece_taken : len;

    t->piece_taken -= taken;
    return (struct str){ bytes + taken, len - taken };
}

/* Anything but `len` back, and libcurl ends the transfer. */
size_t transfer_body_piece(char *bytes, size_t one, size_t len, void *context)
{
    struct transfer *t = context;
    struct str piece;

    (void)one;
    if (is_refused(t)) {
        return 0;
    }
    if (transfer_has_to_wait(t)) {
        return CURL_WRITEFUNC_PAUSE;
    }
    if (!t->body_is_begun) {
        begin_body(t, len);
    }
    if (is_refused(t)) {
        return 0;
    }
    piece = rest_of(t, bytes, len);
    t->coded_bytes += piece.len;
    if (t->unreadable) {
        count_body(t, piece.len);
    } else if (t->coding) {
        return take_coded(t, piece, len);
    } else {
        keep_plain(t, piece);
    }
    return is_refused(t) ? 0 : len;
}

void transfer_body_end(struct transfer *t)
{
    coding_close(t->coding);
    t->coding = NULL;
    count_coding(t);
}

void transfer_body_begin(struct transfer *t)
{
    t->too_big = t->expands = t->no_memory = t->unreadable = t->body_is_begun = false;
    t->coding_fault = CODING_OK;
    t->piece_taken = 0;
    t->coded_bytes = t->body_bytes = 0;
}
