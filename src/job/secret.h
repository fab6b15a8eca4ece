/**
 * Secrets: where they may come from, and where they may not go.
 *
 * `${NAME}` in a header is taken from the environment, header lines come from a file that only its owner can
 * read; what is typed as it is into a header, a URL or a body is told by its name (secret_name_is). Every
 * value is registered, and whatever is written down or shown goes through secrets_redact, which knows values,
 * not names: an API that echoes a key is covered too, however it escapes it, and though it cuts it off.
 *
 * What has to be asked again with a secret in it (the next page's URL that repeats a token) is sealed: the
 * ledger gets the secret's label, "{secret:login.token}", and who asks puts in what that is now.
 *
 * Ownership  secrets_release overwrites and frees the values.
 * Errors     E-SEC1 (file readable by others), E-SEC2 (variable not set), E-HDR2 (bad header).
 * Threads    read-only after loading, so any.
 */
#ifndef SCRAPETOP_JOB_SECRET_H
#define SCRAPETOP_JOB_SECRET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define SECRET_MIN_BYTES 4      /* shorter values would redact half of every text */
#define SECRET_BEGUN_BYTES 8    /* so much of a longer one is as good as all of it */
#define SECRET_STARS STR("***") /* in the place of one */
#define SECRET_FILE_MAX (64 * 1024)
#define SECRET_LABEL_SIZE 96
#define HEADER_LINE_MAX (8 * 1024)

struct secret {
    char *value;
    char *label; /* where it came from, the same in each session: "env.API_KEY" */
    size_t nth;  /* in the order of being added */
};

struct secrets {
    struct secret *list; /* longest first */
    size_t count;
    /* A file in which variables are looked for that the environment lacks (job/env_file.h); or NULL. */
    char *env_file;
    bool env_file_is_used; /* one of them was found there */
    enum result (*env_find)(const char *path, const char *name, struct buf *value, struct err *err);
    bool begins[256]; /* by the first byte of a value: one of them has it */
};

void secrets_release(struct secrets *secrets);

/** Registers a value. Too short a one, and one known already, are passed over. */
MUST_CHECK enum result secrets_add(struct secrets *secrets, struct str value, const char *label,
                                   struct err *err);

MUST_CHECK enum result secrets_add_all(struct secrets *to, const struct secrets *from,
                                       struct err *err);

/** "KIND.NAME", with what a label may not hold made `_`. */
void secret_label(char label[SECRET_LABEL_SIZE], const char *kind, struct str name);

/** The value with that label, of several the one that was added first; STR_NONE. */
struct str secrets_find(const struct secrets *secrets, struct str label);

/* --- hiding them: secret_hide.c -------------------------------------------------------------------- */

enum secret_reach {
    SECRETS_WHOLE, /* whole values only: in what a text is known or asked by, as URLs, keys and jobs */
    SECRETS_BEGUN, /* beginnings of SECRET_BEGUN_BYTES or more as well: in all that people read */
    SECRETS_CUT, /* and the text was cut by us: what may be the beginning of one at its end goes */
};

/** Appends `text` with every secret in it replaced by `***`, also where it stands as URLs, JSON or HTML
 *  escape it, and sealed ones. */
MUST_CHECK enum result secrets_redact(const struct secrets *secrets, struct str text,
                                      enum secret_reach reach, struct buf *out);

/** A secret stands in `text`, whole, escaped or not. */
bool secrets_are_in(const struct secrets *secrets, struct str text);

/** Appends `text` with every whole secret in it replaced by `{secret:LABEL}`. */
MUST_CHECK enum result secrets_seal(const struct secrets *secrets, struct str text,
                                    struct buf *out);

/** `text` has been sealed, and has something in it that is to be unsealed. */
bool secret_is_sealed(struct str text);

/** How a value is escaped where it is put in again. */
enum secret_place { SECRET_IN_URL, SECRET_IN_JSON, SECRET_AS_IS };

/** Appends `text` with what is sealed in it put in again. RESULT_NOT_FOUND when this session does not have
 *  that secret. */
MUST_CHECK enum result secrets_unseal(const struct secrets *secrets, struct str text,
                                      enum secret_place place, struct buf *out);

/* --- told by their names: secret_name.c ------------------------------------------------------------ */

/** A query parameter, a field of a form or a member of JSON that is a credential by its name: api_key,
 *  access_token, password, clientSecret, X-Amz-Signature and the like; page_token and sort_key are none. */
bool secret_name_is(struct str name);

/** As it stands in a URL. */
bool url_param_is_secret(struct str name);

/** A name that may mean a credential: appid, sid, code. It is one when the value looks random. */
bool secret_name_may_be(struct str name);

/** A header that carries a credential by its name: Authorization, Cookie, X-Api-Key, CB-ACCESS-SIGN and the
 *  like; Authority and Idempotency-Key are none. */
bool header_is_secret(struct str name);

/* --- in texts: secret_typed.c ------------------------------------------------------------------------ */

/** Registers what follows such names in a text: the query of a URL, a form, JSON, the arguments of
 *  GraphQL, XML; and what looks like one (secret_form_next). Values that are placeholders are none.
 *  `*count` grows by what was found. */
MUST_CHECK enum result secrets_add_typed(struct secrets *secrets, struct str text, const char *kind,
                                         size_t *count, struct err *err);

/** What the next placeholder names that stands after such a name: "tok" of access_token={tok}. STR_NONE when there is
 *  none. `*rest` moves past it. */
struct str secret_next_placeholder(struct str *rest);

/** Appends the text with such values replaced by `***`, and those of `known` (may be NULL) that are no
 *  shorter than SECRET_BEGUN_BYTES. */
MUST_CHECK enum result secret_hide_typed(struct str text, const struct secrets *known,
                                         struct buf *out);

/** Appends a URL (or the tail of one) with the values of those query parameters replaced by `***` that
 *  are secret by their name. */
MUST_CHECK enum result url_redact(struct str url, struct buf *out);

/** Appends the text with what looks like a secret replaced by `***`, whatever names there are. */
MUST_CHECK enum result secret_hide_forms(struct str text, struct buf *out);

/* --- told by their form: secret_form.c ------------------------------------------------------------- */

/** The next one in a text that looks like what issuers make (ghp_…, sk_live_…, a JWT, a bot's token in a path);
 *  STR_NONE when there is none. `*rest` moves past it. */
struct str secret_form_next(struct str *rest);

/** A header's value that has such a one in it, or that is "Bearer X", "Basic X" and the like. */
bool secret_form_is(struct str value);

/** Nobody would type it: letters and digits, no word. For names that mean this and that. */
bool secret_looks_random(struct str value);

/* --- where they come from -------------------------------------------------------------------------- */

/** Appends `text` with `${NAME}` replaced from the environment, `$${` by `${`; registers what it took.
 *  A variable that is not set is an error naming it. */
MUST_CHECK enum result secret_expand(struct str text, struct secrets *secrets, struct buf *out,
                                     struct err *err);

/** "-" is standard input, and "/dev/fd/63" what a shell makes of <(command): it can be read once only. */
bool secret_is_pipe(const char *path);

/** Reads a whole file of at most SECRET_FILE_MAX bytes; refuses what is no regular file, what somebody
 *  else owns, and what group or others may read. */
MUST_CHECK enum result secret_read_file(const char *path, struct buf *out, struct err *err);

/** What of a header line stands before its colon: a token (RFC 9110 section 5.6.2), and none that the
 *  program sets itself. */
MUST_CHECK enum result header_check_name(struct str name, struct err *err);

/** A header line taken apart and found fit to be sent: the name is a token (RFC 9110 section 5.6.2),
 *  the value has no line break or control character and is not empty, and the header is not one that
 *  the program sets itself. Views into `line`. */
MUST_CHECK enum result header_split(struct str line, struct str *name, struct str *value,
                                    struct err *err);

#endif
