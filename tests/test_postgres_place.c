/* URLs of PostgreSQL: no password stays in a word that anybody sees, and who connects has it whole. */
#include "table/postgres/postgres_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *word, *shown;
    const char *password, *tls_password;
    bool is_refused;
} words[] = {
    { "postgres://h/d", "postgres://h/d", NULL, NULL, false },
    { "postgresql://me@h:5/d?sslmode=require", "postgresql://me@h:5/d?sslmode=require", NULL, NULL,
      false },
    { "postgres://me:x1@h1/d", "postgres://me@h1/d", "x1", NULL, false },
    { "--to=postgres://me:p%40s%2f+%C3%BC@h2/d", "--to=postgres://me@h2/d", "p@s/+\xc3\xbc", NULL,
      false },
    { "postgres://:p@h3", "postgres://@h3", "p", NULL, false },
    { "postgres://me:a:b@h4/d", "postgres://me@h4/d", "a:b", NULL, false },
    { "postgres://me:p@[::1]:5432/d", "postgres://me@[::1]:5432/d", "p", NULL, false },
    { "postgres://me:p@h5:1,h6:2/d", "postgres://me@h5:1,h6:2/d", "p", NULL, false },
    { "postgres:///d7?password=x&a=b&sslpassword=y", "postgres:///d7?a=b", "x", "y", false },
    { "postgres:///d8?a=b&password=x", "postgres:///d8?a=b", "x", NULL, false },
    { "postgres:///d9?password=x", "postgres:///d9", "x", NULL, false },
    { "postgres:///d11?a=password&p%61ssword=x%", "postgres:///d11?a=password", "x%", NULL, false },
    { "postgres://me:p1@x?user=a@b", "postgres://me@x?user=a@b", "p1", NULL, false },
    { "postgres://me:se/cret@h/d", "postgres://me:***@h/d", NULL, NULL, true },
    { "postgres://me:se@cret@h/d", "postgres://me:***@h/d", NULL, NULL, true },
    { "postgres://m:/@h/d", "postgres://***@h/d", NULL, NULL, true },
    { "postgres://me@h/d@b", "postgres://******@b", NULL, NULL, true },
    { "postgres://me:p?w@h10/d?a=b", "postgres://me@h10/d?a=b", "p?w", NULL, false },
    { "postgres://me:p?w/x@h/d", "postgres://me:***@h/d", NULL, NULL, true },
    { "postgres://me:p/w?x@h/d", "postgres://me:***@h/d", NULL, NULL, true },
    { "postgres://h:5/d?a=b@c", "postgres://h:5/d?a=b@c", NULL, NULL, false },
    { "postgres://[::1]/d?a=b@c", "postgres://[::1]/d?a=b@c", NULL, NULL, false },
    { "data.db", "data.db", NULL, NULL, false },
};

static void words__lose_their_passwords__and_who_connects_gets_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char word[128] = "";
        char *list[] = { word };
        struct postgres_secret secret;
        const char *url;
        size_t len = strlen(words[i].word), shown = strlen(words[i].shown);

        snprintf(word, sizeof word, "%s", words[i].word);
        postgres_place_hide(1, list);
        assert_string_equal(word, words[i].shown);
        for (size_t at = shown; at < len; at++) { /* as ps would show it */
            assert_int_equal(word[at], '\0');
        }
        url = strstr(word, "postgres");
        assert_int_equal(url != NULL && postgres_place_is(url),
                         i + 1 < sizeof words / sizeof words[0]);
        if (!url) {
            continue;
        }
        assert_int_equal(postgres_place_check(url, NULL) != RESULT_OK, words[i].is_refused);
        secret = postgres_place_secret(url);
        if (words[i].password) {
            assert_string_equal(secret.password, words[i].password);
        } else {
            assert_null(secret.password);
        }
        if (words[i].tls_password) {
            assert_string_equal(secret.tls_password, words[i].tls_password);
        } else {
            assert_null(secret.tls_password);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words__lose_their_passwords__and_who_connects_gets_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
