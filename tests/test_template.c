#include "job/template.h"

#include "base/json_scan.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

/* Values by name: pairs of name and JSON, ended by NULL. */
struct values {
    const struct template *t;
    const char *const *pairs;
};

static bool look_up(void *context, size_t index, struct str *json)
{
    const struct values *values = context;

    for (size_t i = 0; values->pairs[i]; i += 2) {
        if (str_equal(template_name(values->t, index), str_view(values->pairs[i]))) {
            *json = str_view(values->pairs[i + 1]);
            return true;
        }
    }
    return false;
}

static const char *const pairs[] = { "id",
                                     "103293",
                                     "big",
                                     "90071992547409931234",
                                     "city",
                                     "\"S\\u00e3o Paulo/&\"",
                                     "row.last name",
                                     "\"O'Neil \\\"Q\\\"\"",
                                     "products.id",
                                     "7",
                                     "products.seller.id",
                                     "\"s-1\"",
                                     "products./a.b/0",
                                     "true",
                                     "link",
                                     "\"https://api.example.org/x?a=1&b=%2F \"",
                                     "none",
                                     "null",
                                     "list",
                                     "[1, 2]",
                                     "up",
                                     "\"..\"",
                                     "lines",
                                     "\"a\\r\\nX-Evil: 1\"",
                                     NULL };

static enum result expand(const char *text, enum template_context context, struct buf *out,
                          struct err *err)
{
    struct template *t;
    struct values values = { .pairs = pairs };
    enum result result = template_new(&t, str_view(text), context, err);

    if (result == RESULT_OK) {
        values.t = t;
        result = template_expand(t, look_up, &values, out, err);
        template_free(t);
    }
    return result;
}

static void assert_expands(const char *text, enum template_context context, const char *want)
{
    struct buf out = { 0 };
    struct err err = { .text = "" };
    enum result result = expand(text, context, &out, &err);

    if (result != RESULT_OK) {
        fail_msg("%s: %s", text, err.text);
    }
    assert_string_equal(buf_cstr(&out), want);
    buf_release(&out);
}

static void assert_fails(const char *text, enum template_context context, enum result want,
                         const char *code, const char *says)
{
    struct buf out = { 0 };
    struct err err = { .text = "" };

    assert_int_equal(expand(text, context, &out, &err), want);
    assert_string_equal(err.code, code);
    if (!strstr(err.text, says)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, says);
    }
    buf_release(&out);
}

static void expand__percent_encodes__in_a_url(void **state)
{
    (void)state;
    assert_expands("https://h/a/{id}/b?c={city}&n={big}", TEMPLATE_URL,
                   "https://h/a/103293/b?c=S%C3%A3o%20Paulo%2F%26&n=90071992547409931234");
    assert_expands("https://h/{row.last name}", TEMPLATE_URL, "https://h/O%27Neil%20%22Q%22");
    assert_expands("https://h/{products.seller.id}/{products./a.b/0}", TEMPLATE_URL,
                   "https://h/s-1/true");
    assert_expands("https://h/?filter[a]=1&b=}", TEMPLATE_URL, "https://h/?filter[a]=1&b=}");
    assert_expands("https://h/{{id}", TEMPLATE_URL, "https://h/{id}");
    assert_expands("", TEMPLATE_URL, "");
}

static void expand__keeps_what_a_url_may_hold__as_it_stands(void **state)
{
    (void)state;
    assert_expands("{link}", TEMPLATE_URL, "https://api.example.org/x?a=1&b=%2F%20");
    assert_expands("{link}&c={link}", TEMPLATE_URL,
                   "https://api.example.org/x?a=1&b=%2F%20&c=https%3A%2F%2Fapi.example.org%2Fx%3Fa%"
                   "3D1%26b%3D%252F%20");
    assert_expands("https://h/{+city}", TEMPLATE_URL, "https://h/S%C3%A3o%20Paulo/&");
    assert_expands("https://h/{+lines}", TEMPLATE_URL, "https://h/a%0D%0AX-Evil:%201");
    assert_expands("a={link}", TEMPLATE_FORM,
                   "a=https%3A%2F%2Fapi.example.org%2Fx%3Fa%3D1%26b%3D%252F%20");
    assert_expands("{id}=1", TEMPLATE_FORM, "103293=1");
}

static void expand__copies_values__when_a_json_string_is_one_placeholder(void **state)
{
    (void)state;
    assert_expands("{\"id\": \"{id}\", \"n\": [\"{big}\"], \"c\": \"{city}\", \"l\": \"{list}\"}",
                   TEMPLATE_JSON,
                   "{\"id\": 103293, \"n\": [90071992547409931234], \"c\": \"S\\u00e3o Paulo/&\", "
                   "\"l\": [1, 2]}");
    assert_expands("{\"a\": \"id {id}, {row.last name}\"}", TEMPLATE_JSON,
                   "{\"a\": \"id 103293, O'Neil \\\"Q\\\"\"}");
    assert_expands("{\"{id}\" : 1, \"x\\\"{id}\\\"\": \"\\\\{id}\"}", TEMPLATE_JSON,
                   "{\"103293\" : 1, \"x\\\"103293\\\"\": \"\\\\103293\"}");
}

static void expand__leaves_braces__that_are_graphql(void **state)
{
    static const char query[] = "{\"query\": \"query($a: ID) { p(a: $a) { id } q{id: x, y}}\", "
                                "\"variables\": {\"a\": \"{products.id}\"}}";

    (void)state;
    assert_expands(query, TEMPLATE_JSON,
                   "{\"query\": \"query($a: ID) { p(a: $a) { id } q{id: x, y}}\", "
                   "\"variables\": {\"a\": 7}}");
    assert_expands("\"p {{id} q\"", TEMPLATE_JSON, "\"p {id} q\"");
    assert_expands("{}", TEMPLATE_JSON, "{}");
    assert_expands("{\"\":{\"{\":\"{\"}}", TEMPLATE_JSON, "{\"\":{\"{\":\"{\"}}");
}

static void expand__refuses__what_cannot_stand_there(void **state)
{
    (void)state;
    assert_fails("https://h/{nobody}", TEMPLATE_URL, RESULT_NOT_FOUND, "E-TPL2", "{nobody}");
    assert_fails("https://h/{none}", TEMPLATE_URL, RESULT_NOT_FOUND, "E-TPL2", "{none}");
    assert_fails("[\"{none}\"]", TEMPLATE_JSON, RESULT_NOT_FOUND, "E-TPL2", "{none}");
    assert_fails("https://h/{list}", TEMPLATE_URL, RESULT_NOT_FOUND, "E-TPL2", "{list}");
    assert_fails("https://h/a/{up}/b", TEMPLATE_URL, RESULT_INVALID, "E-TPL3", "another path");
    assert_fails("X-A: {lines}", TEMPLATE_HEADER, RESULT_INVALID, "E-HDR2", "line break");
    assert_expands("v{id}", TEMPLATE_HEADER, "v103293");
}

static void expand__stops__at_the_ceiling_of_its_buffer(void **state)
{
    struct buf out = { .max = 12 };
    struct err err;

    (void)state;
    assert_int_equal(expand("https://h/{id}", TEMPLATE_URL, &out, &err), RESULT_LIMIT);
    assert_string_equal(err.code, "E-TPL3");
    buf_release(&out);
}

static void new__tells_the_byte__of_a_bad_brace(void **state)
{
    (void)state;
    assert_fails("https://h/{a,b}", TEMPLATE_URL, RESULT_INVALID, "E-TPL1", "byte 11");
    assert_fails("https://h/{ id }", TEMPLATE_URL, RESULT_INVALID, "E-TPL1", "byte 11");
    assert_fails("https://h/{}", TEMPLATE_URL, RESULT_INVALID, "E-TPL1", "byte 11");
    assert_fails("https://h/{id", TEMPLATE_URL, RESULT_INVALID, "E-TPL1", "byte 11");
    assert_fails("https://h/{id.}", TEMPLATE_URL, RESULT_INVALID, "E-TPL1", "byte 11");
    assert_fails("{\"a\": {id}}", TEMPLATE_JSON, RESULT_INVALID, "E-TPL1", "byte");
}

static void names__are_listed_once__in_the_order_of_use(void **state)
{
    struct template *t;
    struct str field;

    (void)state;
    assert_int_equal(template_new(&t, STR("https://h/{b}/{row.a b}/{b}{+c}"), TEMPLATE_URL, NULL),
                     RESULT_OK);
    assert_int_equal(template_name_count(t), 3);
    assert_true(str_equal(template_name(t, 0), STR("b")));
    assert_true(str_equal(template_name(t, 1), STR("row.a b")));
    assert_true(str_equal(template_name(t, 2), STR("c")));
    assert_true(str_equal(template_name_head(template_name(t, 1), &field), STR("row")));
    assert_true(str_equal(field, STR("a b")));
    assert_true(str_equal(template_name_head(template_name(t, 0), &field), STR("b")));
    assert_null(field.data);
    template_free(t);
}

static void names__have_a_ceiling(void **state)
{
    struct buf text = { 0 };
    struct template *t;
    struct err err;

    (void)state;
    for (int i = 0; i <= TEMPLATE_NAMES_MAX; i++) {
        assert_int_equal(buf_printf(&text, "{n%d}", i), RESULT_OK);
    }
    assert_int_equal(template_new(&t, buf_view(&text), TEMPLATE_FORM, &err), RESULT_LIMIT);
    assert_string_equal(err.code, "E-TPL1");
    buf_release(&text);
}

static void field_pointer__escapes__what_pointers_give_a_meaning(void **state)
{
    struct buf out = { 0 };

    (void)state;
    assert_int_equal(template_field_pointer(STR("seller.id"), &out), RESULT_OK);
    assert_int_equal(template_field_pointer(STR("a/b~c"), &out), RESULT_OK);
    assert_int_equal(template_field_pointer(STR("/x.y/0"), &out), RESULT_OK);
    assert_string_equal(buf_cstr(&out), "/seller/id/a~1b~0c/x.y/0");
    buf_release(&out);
}

static void body_context__is_json__when_the_body_is(void **state)
{
    (void)state;
    assert_int_equal(template_body_context(STR("{\"a\": \"{id}\"}")), TEMPLATE_JSON);
    assert_int_equal(template_body_context(STR("a={id}")), TEMPLATE_FORM);
    assert_int_equal(template_body_context(STR("{id}")), TEMPLATE_FORM);
}

/* Whatever bytes a template has: it is refused, or what it expands to is as valid as it was. */
static void new__survives__every_byte_flipped_and_every_cut(void **state)
{
    static const char good[] =
        "{\"q\": \"a{{b { c } {id}\\n\", \"{id}\": [\"{city}\", \"{+big}\"]}";
    char text[sizeof good];

    (void)state;
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int flip = 1; flip < 256; flip++) {
            struct buf out = { 0 };
            struct values values = { .pairs = pairs };
            struct template *t;

            memcpy(text, good, sizeof good);
            text[at] = (char)((unsigned char)text[at] ^ flip);
            for (int context = TEMPLATE_URL; context <= TEMPLATE_HEADER; context++) {
                if (template_new(&t, (struct str){ text, sizeof good - 1 },
                                 (enum template_context)context, NULL) != RESULT_OK) {
                    continue;
                }
                values.t = t;
                buf_reset(&out);
                if (template_expand(t, look_up, &values, &out, NULL) == RESULT_OK &&
                    context == TEMPLATE_JSON) {
                    assert_true(json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
                }
                template_free(t);
            }
            buf_release(&out);
        }
        for (int context = TEMPLATE_URL; context <= TEMPLATE_HEADER; context++) {
            struct template *t;

            if (template_new(&t, (struct str){ good, at }, (enum template_context)context, NULL) ==
                RESULT_OK) {
                template_free(t);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand__percent_encodes__in_a_url),
        cmocka_unit_test(expand__keeps_what_a_url_may_hold__as_it_stands),
        cmocka_unit_test(expand__copies_values__when_a_json_string_is_one_placeholder),
        cmocka_unit_test(expand__leaves_braces__that_are_graphql),
        cmocka_unit_test(expand__refuses__what_cannot_stand_there),
        cmocka_unit_test(expand__stops__at_the_ceiling_of_its_buffer),
        cmocka_unit_test(new__tells_the_byte__of_a_bad_brace),
        cmocka_unit_test(names__are_listed_once__in_the_order_of_use),
        cmocka_unit_test(names__have_a_ceiling),
        cmocka_unit_test(field_pointer__escapes__what_pointers_give_a_meaning),
        cmocka_unit_test(body_context__is_json__when_the_body_is),
        cmocka_unit_test(new__survives__every_byte_flipped_and_every_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
