#include "job/netrc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static void find(const char *text, const char *host, enum result want, const char *user,
                 const char *password)
{
    struct buf u = { 0 }, p = { 0 };
    unsigned line;

    assert_int_equal(netrc_find(str_view(text), str_view(host), &u, &p, &line), want);
    if (want == RESULT_OK) {
        assert_true(str_equal(buf_view(&u), str_view(user)));
        assert_true(str_equal(buf_view(&p), str_view(password)));
    }
    buf_release(&u);
    buf_release(&p);
}

static void entry__is_that_of_the_exact_host__else_default(void **state)
{
    const char *text = "machine a.test login one password first\n"
                       "machine sub.a.test\nlogin two\npassword second\n"
                       "machine A.TEST login three password third\n"
                       "default login any password last\n";

    (void)state;
    find(text, "a.test", RESULT_OK, "one", "first");
    find(text, "A.Test", RESULT_OK, "one", "first");
    find(text, "sub.a.test", RESULT_OK, "two", "second");
    find(text, "other.a.test", RESULT_OK, "any", "last");
    find("machine a.test login x password y", "test", RESULT_NOT_FOUND, "", "");
    find("", "a.test", RESULT_NOT_FOUND, "", "");
    find("machine a.test", "a.test", RESULT_NOT_FOUND, "", "");
    find("machine a.test password p", "a.test", RESULT_OK, "", "p");
}

static void words__are_quoted__and_comments_and_macros_passed_over(void **state)
{
    (void)state;
    find("# machine a.test login no password no\nmachine a.test # mine\n login \"a b\" "
         "password \"q\\\"\\\\\\n#\"",
         "a.test", RESULT_OK, "a b", "q\"\\\n#");
    find("macdef up\nmachine a.test login no password no\nput x\n\nmachine a.test login yes "
         "account z password p",
         "a.test", RESULT_OK, "yes", "p");
    find("macdef up\nput x", "a.test", RESULT_NOT_FOUND, "", "");
}

static void text_that_is_cut_off__is_refused(void **state)
{
    (void)state;
    find("machine", "a.test", RESULT_CORRUPT, "", "");
    find("machine a.test login", "a.test", RESULT_CORRUPT, "", "");
    find("machine a.test login \"open\npassword p", "a.test", RESULT_CORRUPT, "", "");
    find("machine b.test password \"open", "a.test", RESULT_CORRUPT, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry__is_that_of_the_exact_host__else_default),
        cmocka_unit_test(words__are_quoted__and_comments_and_macros_passed_over),
        cmocka_unit_test(text_that_is_cut_off__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
