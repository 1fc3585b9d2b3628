/* mxc_proxy.c - whether a proxy's URL is one that a document may name (MXC.md 7.9.1, 7.9.2).
 *
 * No message ever has the part before the "@".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/mxc_tables.h"
#include "config/proxy_url.h"

static bool is_port(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= 5 && strspn(text, "0123456789") == len &&
	       strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* What both forms ask for: scheme, host, and a port that is not the scheme's own. */
static int check_url(const struct decode *d, const struct json *value, struct proxy_url *url,
		     struct err **err)
{
	bool is_http, is_https;
	int r = proxy_url_split(d->arena, value->text, url);

	if (r == -ENOMEM)
		return err_nomem(err);
	if (r < 0)
		return fields_error(d, value, err, "the proxy URL is invalid");
	is_http = strcasecmp(url->scheme, "http") == 0;
	is_https = strcasecmp(url->scheme, "https") == 0;
	if (!is_http && !is_https)
		return fields_error(d, value, err, "must use the 'http' or 'https' scheme");
	if (url->port && *url->port && !is_port(url->port))
		return fields_error(d, value, err,
				    "the proxy URL is invalid: its port is no number up to 65535");
	if (!url->port || !*url->port || strtoul(url->port, NULL, 10) == (is_http ? 80u : 443u))
		return fields_error(d, value, err,
				    "must include a port that is not the scheme's default");
	return 0;
}

int mxc_check_proxy_url(const struct decode *d, const struct json *value, struct err **err)
{
	struct proxy_url url;
	int r = proxy_url_split(d->arena, value->text, &url);

	if (r == -ENOMEM)
		return err_nomem(err);
	/* Before everything else: no other message may come to quote the secret. */
	if (r == 0 && url.has_credentials)
		return fields_error(d, value, err, "must not carry credentials: ***@%.255s%s%.5s",
				    url.host, url.port ? ":" : "", url.port ? url.port : "");
	return check_url(d, value, &url, err);
}

int mxc_check_runtime_proxy(const struct decode *d, const struct json *value, struct err **err)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
	struct proxy_url url;
	size_t i;
	int r = check_url(d, value, &url, err);

	if (r < 0)
		return r;
	for (i = 0; i < array_size(hosts); i++)
		if (strcasecmp(hosts[i], url.host) == 0)
			return 0;
	return fields_error(d, value, err, "must use localhost, 127.0.0.1, or [::1]");
}
