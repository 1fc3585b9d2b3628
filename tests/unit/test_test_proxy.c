/* test_test_proxy.c - the built-in test proxy: what it takes for a request, and whom it lets through. */
#include "unit.h"

#include "net/test_proxy.h"

static void test_requests(void **state)
{
	static const struct {
		const char *head, *host, *port, *target; /* target NULL: a tunnel */
	} good[] = {
		{ "CONNECT a.test:443 HTTP/1.1\r\n", "a.test", "443", NULL },
		{ "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: x\r\n", "2001:db8::1", "443", NULL },
		{ "GET http://a.test/x?y HTTP/1.1\r\n", "a.test", "80", "/x?y" },
		{ "GET http://a.test HTTP/1.0\r\n", "a.test", "80", "" },
		{ "POST HTTP://A.test:8080?q HTTP/1.1\r\n", "A.test", "8080", "?q" },
		{ "GET http://[::1]/ HTTP/1.1\r\n", "::1", "80", "/" },
	};
	struct test_proxy_request request;

	(void)state;
	for (size_t i = 0; i < array_size(good); i++) {
		assert_true(test_proxy_parse(good[i].head, &request));
		assert_string_equal(request.host, good[i].host);
		assert_string_equal(request.port, good[i].port);
		assert_int_equal(request.target == NULL, good[i].target == NULL);
		if (good[i].target) {
			assert_int_equal(request.target_len, strlen(good[i].target));
			assert_memory_equal(request.target, good[i].target, request.target_len);
		}
		assert_int_equal(strncmp(request.rest, "HTTP/1.", 7), 0);
	}
}

static void test_no_requests(void **state)
{
	static const char *const bad[] = {
		"", " ", "GET", "GET ", "GET\r\n", "GET http://a.test/", "GET http://a.test/\r\n", "GET /x HTTP/1.1\r\n",
		"GET https://a.test/ HTTP/1.1\r\n", "GET http:///x HTTP/1.1\r\n", "GET http://u:p@a.test/ HTTP/1.1\r\n",
		"GET http://[::1/ HTTP/1.1\r\n", "GET http://[::1]x/ HTTP/1.1\r\n", "GET http://a.test:/ HTTP/1.1\r\n",
		"GET http://a.test:x/ HTTP/1.1\r\n", "GET http://a.test:123456/ HTTP/1.1\r\n", "GET http://a\x01.test/ HTTP/1.1\r\n",
		"CONNECT a.test HTTP/1.1\r\n", "CONNECT :1 HTTP/1.1\r\n", "\r\nGET http://a.test/ HTTP/1.1\r\n",
		"CONNECT a.test:443\r\nx HTTP/1.1\r\n",
	};
	struct test_proxy_request request;
	char longest[400];

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++)
		if (test_proxy_parse(bad[i], &request))
			fail_msg("taken: %s", bad[i]);
	snprintf(longest, sizeof(longest), "CONNECT %0300d:1 HTTP/1.1\r\n", 0);
	assert_false(test_proxy_parse(longest, &request));
}

static void test_who_passes(void **state)
{
	static const char *const allowed[] = { "a.test", "b.test", NULL }, *const blocked[] = { "B.test", NULL }, *const none[] = { NULL };
	const struct net_test_proxy lists = { true, true, allowed, blocked }, open = { true, true, none, blocked }, closed = { true, false, NULL, NULL };

	(void)state;
	assert_true(test_proxy_allows(&lists, "A.TEST"));
	assert_false(test_proxy_allows(&lists, "b.test"));
	assert_false(test_proxy_allows(&lists, "c.test"));
	assert_false(test_proxy_allows(&lists, "x.a.test"));
	assert_true(test_proxy_allows(&open, "c.test"));
	assert_false(test_proxy_allows(&open, "b.test"));
	assert_false(test_proxy_allows(&closed, "a.test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_no_requests),
		cmocka_unit_test(test_who_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
