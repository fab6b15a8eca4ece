/* Several tokens, one a line of a file. Each is a host of its own to the plan (plan/twin.h). */
#include "job/auth/auth_kind.h"

#include "job/job_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 32

/* clang-format off */
static const struct job_key keys[] = {
    { "file", JOB_KEY_PATH, AUTH_FIELD(tokens.file),
      .help = "One token a line, or NAME=TOKEN; readable by you alone. Names are shown, tokens never" },
};

static const struct job_keys object = JOB_KEYS("tokens", keys,
                                               .help = "Several tokens for one server, each with its own quota and holds.",
                                               .schema = JOB_JSON("required": ["file"]));
/* clang-format on */

/* What is shown: no more than a name. */
static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.')) {
            return false;
        }
    }
    return text.len > 0 && text.len <= NAME_MAX_BYTES;
}

/* "NAME=TOKEN". The equals signs that base64 ends with are the token's own. */
static bool split(struct str line, struct str *name, struct str *token)
{
    *token = line;
    *name = str_cut(token, '=');
    for (size_t i = 0; token->data && i < token->len; i++) {
        if (token->data[i] != '=') {
            return is_name(*name);
        }
    }
    *token = line;
    *name = STR_NONE;
    return false;
}

static bool is_sendable(struct str token)
{
    for (size_t i = 0; i < token.len; i++) {
        if ((unsigned char)token.data[i] <= 0x20 || token.data[i] == 0x7F) {
            return false;
        }
    }
    return token.len > 0 && token.len <= AUTH_TOKEN_MAX;
}

static enum result check_new(const struct job_tokens *tokens, const char *name, struct str token,
                             struct err *err)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (strcmp(tokens->list[i].name, name) == 0) {
            return err_set(err, RESULT_INVALID, "E-SEC3", "two tokens are called \"%s\"", name);
        }
        if (str_equal(str_view(tokens->list[i].sent), token)) {
            return err_set(err, RESULT_INVALID, "E-SEC3",
                           "the same token as \"%s\": each may stand there once",
                           tokens->list[i].name);
        }
    }
    return RESULT_OK;
}

static enum result add(struct job_tokens *tokens, struct str line, struct secrets *secrets,
                       struct err *err)
{
    struct job_token *list;
    struct str name, token;
    char shown[NAME_MAX_BYTES + 1], label[SECRET_LABEL_SIZE];
    enum result result;

    if (tokens->count == JOB_TOKENS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-SEC3", "more than %d tokens", JOB_TOKENS_MAX);
    }
    if (split(line, &name, &token)) {
        snprintf(shown, sizeof shown, "%.*s", STR_ARG(name));
    } else {
        snprintf(shown, sizeof shown, "token%zu", tokens->count + 1);
        token = line;
    }
    if (!is_sendable(token)) {
        return err_set(err, RESULT_INVALID, "E-SEC3",
                       "want a token, or NAME=TOKEN: no blanks, no control characters, at most %d "
                       "bytes",
                       AUTH_TOKEN_MAX);
    }
    result = check_new(tokens, shown, token, err);
    if (result != RESULT_OK) {
        return result;
    }
    list = reallocarray(tokens->list, tokens->count + 1, sizeof *list);
    if (!list) {
        return err_nomem(err, "reading tokens");
    }
    tokens->list = list;
    list[tokens->count] =
        (struct job_token){ .name = str_dup(str_view(shown)), .sent = str_dup(token) };
    if (!list[tokens->count].name || !list[tokens->count].sent) {
        free(list[tokens->count].name);
        free(list[tokens->count].sent);
        return err_nomem(err, "reading tokens");
    }
    tokens->count++;
    secret_label(label, "token", str_view(shown));
    return secrets_add(secrets, token, label, err);
}

static enum result read(struct job_tokens *tokens, struct str text, struct secrets *secrets,
                        struct err *err)
{
    enum result result = RESULT_OK;

    for (unsigned number = 1; text.len && result == RESULT_OK; number++) {
        struct str line = str_trim(str_cut(&text, '\n'));

        if (line.len && line.data[0] != '#') {
            result = add(tokens, line, secrets, err);
        }
        if (result != RESULT_OK && result != RESULT_NOMEM) {
            err_prefix(err, "%s:%u", tokens->file, number);
        }
    }
    if (result == RESULT_OK && !tokens->count) {
        result = err_set(err, RESULT_INVALID, "E-SEC3", "%s holds no token", tokens->file);
    }
    return result;
}

static enum result check(struct job_login *login, bool lacks, struct secrets *secrets,
                         struct err *err)
{
    struct buf text;
    enum result result;

    (void)lacks;
    job_tokens_release(&login->tokens, false);
    buf_init(&text, SECRET_FILE_MAX);
    result = secret_read_file(login->tokens.file, &text, err);
    if (result == RESULT_OK) {
        result = read(&login->tokens, buf_view(&text), secrets, err);
    }
    auth_wipe(&text);
    return result;
}

/* The first: that of the others the engine asks by their numbers (auth_tokens_credential). */
static enum result give(const struct job_login *login, struct buf *token)
{
    return buf_append_str(token, str_view(login->tokens.list[0].sent));
}

/* As a key, where a place is named for it. */
static enum result credential(const struct job_login *login, struct str token, struct buf *header,
                              struct buf *query)
{
    return login->name ? auth_key.credential(login, token, header, query)
                       : auth_append_sent(header, login->send, token);
}

const struct auth_kind auth_tokens = {
    .key = { .name = "tokens", .kind = JOB_KEY_AUTH },
    .keys = &object,
    .needed = 1,
    .beside =
        AUTH_BIT(AUTH_BESIDE_HEADER) | AUTH_BIT(AUTH_BESIDE_QUERY) | AUTH_BIT(AUTH_BESIDE_SEND),
    .has_usual_place = true,
    .check = check,
    .token = give,
    .credential = credential,
};
