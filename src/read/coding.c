#include "read/coding.h"

#include <brotli/decode.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define BETWEEN_BYTES (16U << 10) /* room between one coding and the next */
#define ZSTD_WINDOW_LOG_MAX 23
#define ZLIB_HEAP_BYTES (44U << 10) /* its state and the largest window, about */
#define GZIP_FIRST '\x1f'
#define GZIP_SECOND '\x8b'

enum stage_part {
    STAGE_FRESH, /* no byte has come */
    STAGE_HALF,  /* one has, which is kept: what begins here shows at the second */
    STAGE_IN,
    STAGE_BETWEEN, /* a member has ended, and another one may follow */
    STAGE_PAST,    /* what comes is passed over */
    STAGE_PLAIN,   /* it only says that it is packed: what comes is copied */
};

/* One coding. */
struct stage {
    enum coding_kind kind;
    enum stage_part part;
    bool is_next; /* in STAGE_HALF: after a member */
    bool is_full; /* it has filled the room that it had */
    char first;   /* in STAGE_HALF */
    union {
        z_stream zlib;
        ZSTD_DStream *zstd;
        BrotliDecoderState *br;
    } u;
    bool is_begun;   /* `u` is to be freed */
    size_t br_bytes; /* that libbrotlidec holds */
};

/* What one step of one stage works on. */
struct flow {
    struct str in;
    char *out;
    size_t room;
};

struct between {
    char bytes[BETWEEN_BYTES];
    struct str left; /* within bytes */
};

struct coding {
    size_t count;
    struct stage stages[CODINGS_MAX]; /* the one that was applied last is the first to be undone */
    struct between between[];         /* count - 1 */
};

static const char *const kind_names[] = {
    [CODING_GZIP] = "gzip",
    [CODING_DEFLATE] = "deflate",
    [CODING_ZSTD] = "zstd",
    [CODING_BR] = "br",
};

/* --- names ------------------------------------------------------------------------------------------- */

static bool kind_of(struct str name, enum coding_kind *kind)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++) {
        if (str_equal_nocase(name, str_view(kind_names[i]))) {
            *kind = (enum coding_kind)i;
            return true;
        }
    }
    *kind = CODING_GZIP;
    return str_equal_nocase(name, STR("x-gzip"));
}

/* No registered names but the first, but what some servers say: most mean the letters, which have another header. */
static bool is_no_coding(struct str name)
{
    static const struct str names[] = {
        STR_INIT("identity"), STR_INIT("none"),       STR_INIT("utf-8"),        STR_INIT("utf8"),
        STR_INIT("us-ascii"), STR_INIT("iso-8859-1"), STR_INIT("windows-1252"), STR_INIT("binary"),
        STR_INIT("8bit"),     STR_INIT("text"),       STR_INIT("aws-chunked"),
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return !name.len;
}

static void keep_unknown(struct coding_list *list, struct str name)
{
    size_t len = 0;

    for (size_t i = 0; i < name.len && len < sizeof list->unknown - 1; i++) {
        char c = name.data[i];

        list->unknown[len++] = (char)(c > ' ' && c <= '~' ? c : '?');
    }
    list->unknown[len] = '\0';
    list->fault = CODING_UNKNOWN;
}

static void add_name(struct coding_list *list, struct str name)
{
    enum coding_kind kind;

    if (list->fault != CODING_OK || is_no_coding(name)) {
        return;
    }
    if (!kind_of(name, &kind)) {
        keep_unknown(list, name);
    } else if (list->count == CODINGS_MAX) {
        list->fault = CODING_TOO_MANY;
    } else {
        list->kinds[list->count++] = kind;
    }
}

void coding_list_add(struct coding_list *list, struct str value)
{
    while (value.data) {
        add_name(list, str_trim(str_cut(&value, ',')));
    }
}

/* --- zlib -------------------------------------------------------------------------------------------- */

/* `bits` as inflateInit2 has them. The first byte has been taken out of the input already. */
static enum coding_result begin_zlib(struct stage *s, int bits, struct flow *flow)
{
    Bytef first = (Bytef)s->first;
    int result = s->is_begun ? inflateReset(&s->u.zlib) : inflateInit2(&s->u.zlib, bits);

    if (result != Z_OK) {
        return CODING_NO_MEMORY;
    }
    s->is_begun = true;
    s->part = STAGE_IN;
    s->u.zlib.next_in = &first;
    s->u.zlib.avail_in = 1;
    s->u.zlib.next_out = (Bytef *)flow->out;
    s->u.zlib.avail_out = 0;
    result = inflate(&s->u.zlib, Z_NO_FLUSH);
    s->u.zlib.next_in = NULL;
    return result == Z_OK || result == Z_BUF_ERROR ? CODING_OK : CODING_BROKEN;
}

/* RFC 1950 section 2.2: what zlib's head is known by. Some servers leave it out. */
static bool is_zlib_head(char first, char second)
{
    unsigned both = (unsigned char)first * 256U + (unsigned char)second;

    return ((unsigned char)first & 0x0FU) == 8 && both % 31 == 0;
}

static char take_byte(struct flow *flow)
{
    flow->in.len--;
    return *flow->in.data++;
}

/* So a text begins, and no gzip member. */
static bool is_text(char first)
{
    return first && strchr("{[\"< \t\r\n\xEF", first);
}

static void copy(struct flow *flow)
{
    size_t len = flow->in.len < flow->room ? flow->in.len : flow->room;

    memcpy(flow->out, flow->in.data, len);
    flow->in.data += len;
    flow->in.len -= len;
    flow->out += len;
    flow->room -= len;
}

/* At the second byte of what may be a member or a stream. */
static enum coding_result begin_at_second(struct stage *s, struct flow *flow)
{
    char second = flow->in.data[0];
    bool is_zlib;

    if (s->kind == CODING_DEFLATE) {
        is_zlib = is_zlib_head(s->first, second);
        return begin_zlib(s, is_zlib ? MAX_WBITS : -MAX_WBITS, flow);
    }
    if (s->first != GZIP_FIRST || second != GZIP_SECOND) {
        s->part = STAGE_PAST;
        return s->is_next ? CODING_OK : CODING_BROKEN;
    }
    return begin_zlib(s, MAX_WBITS + 16, flow);
}

static enum coding_result inflate_some(struct stage *s, struct flow *flow)
{
    z_stream *z = &s->u.zlib;
    int result;

    z->next_in = (z_const Bytef *)(uintptr_t)flow->in.data;
    z->avail_in = (uInt)(flow->in.len < UINT32_MAX ? flow->in.len : UINT32_MAX);
    z->next_out = (Bytef *)flow->out;
    z->avail_out = (uInt)(flow->room < UINT32_MAX ? flow->room : UINT32_MAX);
    result = inflate(z, Z_NO_FLUSH);
    flow->in.len -= (size_t)((const char *)z->next_in - flow->in.data);
    flow->in.data = (const char *)z->next_in;
    flow->room -= (size_t)((char *)z->next_out - flow->out);
    flow->out = (char *)z->next_out;
    if (result == Z_STREAM_END) {
        s->part = s->kind == CODING_GZIP ? STAGE_BETWEEN : STAGE_PAST;
        return CODING_OK;
    }
    if (result == Z_MEM_ERROR) {
        return CODING_NO_MEMORY;
    }
    return result == Z_OK || result == Z_BUF_ERROR ? CODING_OK : CODING_BROKEN;
}

/* --- zstd and br ------------------------------------------------------------------------------------- */

static enum coding_result begin_zstd(struct stage *s)
{
    s->u.zstd = ZSTD_createDStream();
    if (!s->u.zstd) {
        return CODING_NO_MEMORY;
    }
    s->is_begun = true;
    s->part = STAGE_IN;
    return ZSTD_isError(ZSTD_DCtx_setParameter(s->u.zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX))
               ? CODING_NO_MEMORY
               : CODING_OK;
}

static enum coding_result zstd_fault(struct stage *s, size_t code)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_prefix_unknown:
        if (s->part == STAGE_BETWEEN) {
            s->part = STAGE_PAST;
            return CODING_OK;
        }
        return CODING_BROKEN;
    case ZSTD_error_frameParameter_windowTooLarge:
        return CODING_WIDE;
    case ZSTD_error_memory_allocation:
        return CODING_NO_MEMORY;
    default:
        return CODING_BROKEN;
    }
}

static enum coding_result zstd_some(struct stage *s, struct flow *flow)
{
    ZSTD_inBuffer in = { flow->in.data, flow->in.len, 0 };
    ZSTD_outBuffer out = { flow->out, flow->room, 0 };
    size_t result = ZSTD_decompressStream(s->u.zstd, &out, &in);

    flow->in = (struct str){ flow->in.data + in.pos, flow->in.len - in.pos };
    flow->out += out.pos;
    flow->room -= out.pos;
    if (ZSTD_isError(result)) {
        return zstd_fault(s, result);
    }
    if (result == 0) {
        s->part = STAGE_BETWEEN;
    } else if (in.pos || out.pos) {
        s->part = STAGE_IN;
    }
    return CODING_OK;
}

/* libbrotlidec frees without saying how much: that stands in front. */
union br_head {
    size_t len;
    max_align_t aligned;
};

static void *br_alloc(void *context, size_t len)
{
    struct stage *s = context;
    union br_head *head = len < SIZE_MAX - sizeof *head ? malloc(sizeof *head + len) : NULL;

    if (!head) {
        return NULL;
    }
    head->len = len;
    s->br_bytes += len;
    return head + 1;
}

static void br_free(void *context, void *bytes)
{
    struct stage *s = context;
    union br_head *head = bytes;

    if (head) {
        head--;
        s->br_bytes -= head->len;
        free(head);
    }
}

static enum coding_result begin_br(struct stage *s)
{
    s->u.br = BrotliDecoderCreateInstance(br_alloc, br_free, s);
    s->is_begun = s->u.br != NULL;
    s->part = STAGE_IN;
    return s->is_begun ? CODING_OK : CODING_NO_MEMORY;
}

static bool is_br_memory(BrotliDecoderErrorCode code)
{
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static enum coding_result br_some(struct stage *s, struct flow *flow)
{
    const uint8_t *in = (const uint8_t *)flow->in.data;
    uint8_t *out = (uint8_t *)flow->out;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(s->u.br, &flow->in.len, &in, &flow->room, &out, NULL);

    flow->in.data = (const char *)in;
    flow->out = (char *)out;
    if (result == BROTLI_DECODER_RESULT_ERROR) {
        return is_br_memory(BrotliDecoderGetErrorCode(s->u.br)) ? CODING_NO_MEMORY : CODING_BROKEN;
    }
    if (result == BROTLI_DECODER_RESULT_SUCCESS) {
        s->part = STAGE_PAST;
    }
    return CODING_OK;
}

/* --- one stage --------------------------------------------------------------------------------------- */

static enum coding_result begin(struct stage *s, struct flow *flow)
{
    switch (s->kind) {
    case CODING_ZSTD:
        return begin_zstd(s);
    case CODING_BR:
        return begin_br(s);
    case CODING_GZIP:
    case CODING_DEFLATE:
        break;
    }
    s->is_next = s->part == STAGE_BETWEEN;
    if (s->kind == CODING_GZIP && !s->is_next && is_text(flow->in.data[0])) {
        s->part = STAGE_PLAIN;
        return CODING_OK;
    }
    s->first = take_byte(flow);
    s->part = STAGE_HALF;
    return CODING_OK;
}

static enum coding_result unpack(struct stage *s, struct flow *flow)
{
    switch (s->kind) {
    case CODING_ZSTD:
        return zstd_some(s, flow);
    case CODING_BR:
        return br_some(s, flow);
    case CODING_GZIP:
    case CODING_DEFLATE:
        break;
    }
    return inflate_some(s, flow);
}

static void pass_over(struct flow *flow)
{
    flow->in = STR_NONE;
}

/* Until the input is used up or the room. */
static enum coding_result stage_run(struct stage *s, struct flow *flow)
{
    enum coding_result result = CODING_OK;

    while (result == CODING_OK && flow->room && (flow->in.len || s->is_full)) {
        s->is_full = false;
        switch (s->part) {
        case STAGE_FRESH:
            result = begin(s, flow);
            break;
        case STAGE_BETWEEN:
            result = s->kind == CODING_ZSTD ? unpack(s, flow) : begin(s, flow);
            break;
        case STAGE_HALF:
            result = begin_at_second(s, flow);
            break;
        case STAGE_IN:
            result = unpack(s, flow);
            break;
        case STAGE_PAST:
            pass_over(flow);
            break;
        case STAGE_PLAIN:
            copy(flow);
            break;
        }
    }
    s->is_full = flow->room == 0 && s->part == STAGE_IN;
    return result;
}

static void stage_end(struct stage *s)
{
    if (!s->is_begun) {
        return;
    }
    switch (s->kind) {
    case CODING_GZIP:
    case CODING_DEFLATE:
        inflateEnd(&s->u.zlib);
        break;
    case CODING_ZSTD:
        ZSTD_freeDStream(s->u.zstd);
        break;
    case CODING_BR:
        BrotliDecoderDestroyInstance(s->u.br);
        break;
    }
}

static size_t stage_memory(const struct stage *s)
{
    if (!s->is_begun) {
        return 0;
    }
    switch (s->kind) {
    case CODING_ZSTD:
        return ZSTD_sizeof_DStream(s->u.zstd);
    case CODING_BR:
        return s->br_bytes;
    case CODING_GZIP:
    case CODING_DEFLATE:
        break;
    }
    return ZLIB_HEAP_BYTES;
}

/* --- all of them ------------------------------------------------------------------------------------- */

enum coding_result coding_open(struct coding **coding, const struct coding_list *list)
{
    struct coding *c;

    if (list->fault != CODING_OK) {
        return list->fault;
    }
    c = malloc(sizeof *c + (list->count - 1) * sizeof c->between[0]);
    if (!c) {
        return CODING_NO_MEMORY;
    }
    c->count = list->count;
    for (size_t i = 0; i < c->count; i++) {
        c->stages[i] = (struct stage){ .kind = list->kinds[c->count - 1 - i] };
        if (i + 1 < c->count) {
            c->between[i].left = STR_NONE;
        }
    }
    *coding = c;
    return CODING_OK;
}

void coding_close(struct coding *c)
{
    for (size_t i = 0; c && i < c->count; i++) {
        stage_end(&c->stages[i]);
    }
    free(c);
}

/* The last stage that can go on; `count` when none can. */
static size_t next_stage(const struct coding *c, const struct str *in)
{
    for (size_t i = c->count; i-- > 0;) {
        const struct str *mine = i ? &c->between[i - 1].left : in;

        if (mine->len || c->stages[i].is_full) {
            return i;
        }
    }
    return c->count;
}

enum coding_result coding_step(struct coding *c, struct str *in, char *out, size_t room,
                               size_t *made)
{
    enum coding_result result = CODING_OK;
    size_t i;

    *made = 0;
    while (result == CODING_OK && *made < room && (i = next_stage(c, in)) < c->count) {
        bool is_last = i + 1 == c->count;
        struct str *mine = i ? &c->between[i - 1].left : in;
        char *to = is_last ? out + *made : c->between[i].bytes;
        struct flow flow = { *mine, to, is_last ? room - *made : BETWEEN_BYTES };

        result = stage_run(&c->stages[i], &flow);
        *mine = flow.in;
        if (is_last) {
            *made += (size_t)(flow.out - to);
        } else {
            c->between[i].left = (struct str){ to, (size_t)(flow.out - to) };
        }
    }
    return result;
}

bool coding_has_more(const struct coding *c)
{
    return next_stage(c, &STR_NONE) < c->count;
}

bool coding_is_whole(const struct coding *c)
{
    for (size_t i = 0; i < c->count; i++) {
        enum stage_part part = c->stages[i].part;

        if (part == STAGE_IN || (part == STAGE_HALF && !c->stages[i].is_next)) {
            return false;
        }
    }
    return c->stages[0].part == STAGE_FRESH || c->stages[c->count - 1].part != STAGE_FRESH;
}

size_t coding_memory(const struct coding *c)
{
    size_t bytes = sizeof *c + (c->count - 1) * sizeof c->between[0];

    for (size_t i = 0; i < c->count; i++) {
        bytes += stage_memory(&c->stages[i]);
    }
    return bytes;
}

const char *coding_name(const struct coding *c)
{
    return kind_names[c->stages[0].kind];
}
