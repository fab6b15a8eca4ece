#include "s3/upload.h"

#include "base/os.h"
#include "s3/ask.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TRIES 6U
#define LOOK_TRIES 3U /* somebody waits for the run to begin: half a minute at most */
#define FIRST_WAIT_MS 200U
#define SLICE_MS 100U    /* between two looks whether we are to stop */
#define PARTS_MAX 10000U /* of one object, by the protocol */
#define MIB ((uint64_t)1 << 20)
#define QUERY_MAX (64 + 3 * S3_FIELD_MAX)

static bool is_well(const struct s3_answer *answer)
{
    return answer->status >= 200 && answer->status < 300;
}

/* Status 200 and a fault: parts are put together after the answer has begun. */
static bool is_late_fault(const struct s3_answer *answer)
{
    struct str code;

    return answer->status == 200 && s3_answer_element(answer, "Code", &code);
}

static bool may_pass(enum result result, const struct s3_answer *answer)
{
    if (result != RESULT_OK) {
        return result == RESULT_IO;
    }
    return answer->status == 408 || answer->status == 429 || answer->status >= 500 ||
           is_late_fault(answer);
}

/* By a header, or by the text of the error: which of them differs between statuses. */
static bool moves_to_region(struct s3_place *place, const struct s3_answer *answer)
{
    struct str region = str_view(answer->region);

    if (answer->status < 300 || answer->status >= 500 ||
        (!region.len && !s3_answer_element(answer, "Region", &region)) ||
        str_equal(region, str_view(place->region))) {
        return false;
    }
    return s3_place_set_region(place, region);
}

/* Half of the wait is by chance, so that several uploads do not come together again. */
static void rest(const struct s3_place *place, unsigned try, unsigned told_s)
{
    uint64_t ms = told_s ? told_s * UINT64_C(1000) : (uint64_t)FIRST_WAIT_MS << try;
    uint32_t chance = 0;
    if (!told_s && os_random(&chance, sizeof chance)) {
        ms = ms / 2 + chance % (ms / 2 + 1);
    }
    for (; ms > 0 && !(place->stop && atomic_load(place->stop));
         ms -= ms < SLICE_MS ? ms : SLICE_MS) {
        (void)poll(NULL, 0, (int)(ms < SLICE_MS ? ms : SLICE_MS));
    }
}

/* The last answer, of whatever status, after as many tries as it takes. */
static enum result ask(struct s3_place *place, const struct s3_request *request,
                       struct s3_answer *answer, struct err *err)
{
    unsigned tries = s3_request_is_look(request) ? LOOK_TRIES : TRIES;
    bool has_moved = false;

    for (unsigned try = 0;; try++) {
        enum result result = s3_ask(place, request, answer, err);

        if (result == RESULT_OK && !has_moved && moves_to_region(place, answer)) {
            has_moved = true;
        } else if (!may_pass(result, answer) || try + 1 == tries) {
            return result;
        } else {
            rest(place, try, result == RESULT_OK ? answer->retry_after_s : 0);
        }
        s3_answer_release(answer);
    }
}

/* As ask, of an answer that nothing is wanted from but that it is well. */
static enum result ask_well(struct s3_place *place, const struct s3_request *request,
                            struct err *err)
{
    struct s3_answer answer = { 0 };
    enum result result = ask(place, request, &answer, err);

    if (result == RESULT_OK && !is_well(&answer)) {
        result = s3_answer_fault(place, &answer, err);
    }
    s3_answer_release(&answer);
    return result;
}

/* --- in parts ----------------------------------------------------------------------------------- */

/* An upload id may have any character: in a query only the unreserved ones stay. */
static void put_upload_id(struct str id, char encoded[3 * S3_FIELD_MAX])
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    size_t len = 0;

    for (size_t i = 0; i < id.len; i++) {
        if (memchr(plain, id.data[i], sizeof plain - 1)) {
            encoded[len++] = id.data[i];
        } else {
            len += (size_t)snprintf(encoded + len, 4, "%%%02X", (unsigned char)id.data[i]);
        }
    }
    encoded[len] = '\0';
}

/* Begins an upload; its id, as it stands in queries. */
static enum result begin_parts(struct s3_place *place, char id[3 * S3_FIELD_MAX], struct err *err)
{
    const struct s3_request request = { .method = "POST", .query = "uploads=" };
    struct s3_answer answer = { 0 };
    struct str told = STR_NONE;
    enum result result = ask(place, &request, &answer, err);

    if (result == RESULT_OK &&
        (!is_well(&answer) || !s3_answer_element(&answer, "UploadId", &told) || !told.len)) {
        result = s3_answer_fault(place, &answer, err);
    }
    if (result == RESULT_OK) {
        put_upload_id(told, id);
    }
    s3_answer_release(&answer);
    return result;
}

/* One part; what it is called goes into the list that completes the upload. */
static enum result put_part(struct s3_place *place, const char *id, struct s3_request request,
                            unsigned number, struct buf *list, struct err *err)
{
    char query[QUERY_MAX];
    struct s3_answer answer = { 0 };
    enum result result;

    snprintf(query, sizeof query, "partNumber=%u&uploadId=%s", number, id);
    request.query = query;
    result = ask(place, &request, &answer, err);
    if (result == RESULT_OK && (!is_well(&answer) || !answer.etag[0])) {
        result = s3_answer_fault(place, &answer, err);
    } else if (result == RESULT_OK &&
               buf_printf(list, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", number,
                          answer.etag) != RESULT_OK) {
        result = err_nomem(err, "listing the parts of an upload");
    }
    s3_answer_release(&answer);
    return result;
}

static enum result put_parts(struct s3_place *place, const char *id, int fd, uint64_t bytes,
                             struct buf *list, struct err *err)
{
    uint64_t least = (bytes + PARTS_MAX - 1) / PARTS_MAX;
    uint64_t size = least <= S3_PART_BYTES ? S3_PART_BYTES : (least + MIB - 1) / MIB * MIB;
    enum result result = RESULT_OK;
    unsigned number = 0;

    for (uint64_t at = 0; at < bytes && result == RESULT_OK; at += size) {
        struct s3_request request = {
            .method = "PUT", .fd = fd, .offset = at, .bytes = bytes - at < size ? bytes - at : size
        };

        result = put_part(place, id, request, ++number, list, err);
    }
    return result;
}

/* Whether the object is there with that length: a try whose answer was lost may have made it. */
static bool is_there(struct s3_place *place, uint64_t bytes)
{
    const struct s3_request request = { .method = "HEAD" };
    struct s3_answer answer = { 0 };
    struct err unused;
    bool is = ask(place, &request, &answer, &unused) == RESULT_OK && is_well(&answer) &&
              answer.length == bytes;

    s3_answer_release(&answer);
    return is;
}

static enum result complete(struct s3_place *place, const char *query, struct buf *list,
                            uint64_t bytes, struct err *err)
{
    const struct s3_request request = {
        .method = "POST", .query = query, .text = buf_view(list), .bytes = list->len
    };
    struct s3_answer answer = { 0 };
    struct str code = STR_NONE;
    enum result result = ask(place, &request, &answer, err);

    s3_answer_element(&answer, "Code", &code);
    if (result == RESULT_OK && (!is_well(&answer) || is_late_fault(&answer)) &&
        !(str_equal(code, STR("NoSuchUpload")) && is_there(place, bytes))) {
        result = s3_answer_fault(place, &answer, err);
    }
    s3_answer_release(&answer);
    return result;
}

static void abort_parts(struct s3_place *place, const char *query)
{
    const struct s3_request request = { .method = "DELETE", .query = query };
    struct s3_answer answer = { 0 };
    struct err unused;

    if (s3_ask(place, &request, &answer, &unused) == RESULT_OK) { /* what brought us here is told */
        s3_answer_release(&answer);
    }
}

static enum result upload_parts(struct s3_place *place, int fd, uint64_t bytes, struct err *err)
{
    char id[3 * S3_FIELD_MAX], query[QUERY_MAX];
    struct buf list = { 0 };
    enum result result = begin_parts(place, id, err);

    if (result != RESULT_OK) {
        return result;
    }
    snprintf(query, sizeof query, "uploadId=%s", id);
    result = buf_printf(&list, "<CompleteMultipartUpload>") == RESULT_OK
                 ? put_parts(place, id, fd, bytes, &list, err)
                 : err_nomem(err, "listing the parts of an upload");
    if (result == RESULT_OK && buf_printf(&list, "</CompleteMultipartUpload>") != RESULT_OK) {
        result = err_nomem(err, "listing the parts of an upload");
    }
    result = result == RESULT_OK ? complete(place, query, &list, bytes, err) : result;
    if (result != RESULT_OK) {
        abort_parts(place, query);
    }
    buf_release(&list);
    return result;
}

enum result s3_upload(struct s3_place *place, int fd, uint64_t bytes, struct err *err)
{
    const struct s3_request whole = { .method = "PUT", .fd = fd, .bytes = bytes };

    return bytes <= S3_PART_BYTES ? ask_well(place, &whole, err)
                                  : upload_parts(place, fd, bytes, err);
}

enum result s3_look(struct s3_place *place, struct err *err)
{
    const struct s3_request request = { .method = "HEAD", .of_bucket = true };
    struct s3_answer answer = { 0 };
    enum result result = ask(place, &request, &answer, err);

    if (result == RESULT_OK && answer.status == 404) {
        result = err_set(err, RESULT_IO, "E-OUT8", "%s: the store has no bucket %s", place->name,
                         place->bucket);
    }
    s3_answer_release(&answer);
    return result;
}
