#include "sandbox/hook_target.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

enum { SPAN_MAX_MS = 3600000, PATH_LEN_MAX = 512, LATE_MAX = 10000 };

static const char *const words[] = {
#define HOOK_STATUS(ident, word) word,
#include "sandbox/tbl_hook_statuses.h"
#undef HOOK_STATUS
};

const char *hook_status_word(enum hook_status s)
{
	return s < HOOK_STATUSES ? words[s] : NULL;
}

/* ---- addresses ---- */

static bool is_path(const char *s)
{
	const char *p = s;

	while (*p > 0x20 && *p < 0x7f)
		p++;
	return *s == '/' && *p == 0 && p - s <= PATH_LEN_MAX;
}

static int parse_host(struct hook_url *u, const char *host)
{
	if (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &u->address.sin_addr) != 1)
		return -1;
	return ntohl(u->address.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET ? 0 : -1;
}

int hook_url_parse(struct hook_url *u, const char *text, struct strbuf *why)
{
	char host[32], port[8];
	int64_t number;
	size_t n, m;

	*u = (struct hook_url){ .address.sin_family = AF_INET };
	if (!text || !str_starts(text, "http://"))
		return why_set(why, "\"url\" is not http://127.0.0.1:PORT/path");
	text += strlen("http://");
	n = strcspn(text, ":/");
	m = text[n] == ':' ? strcspn(text + n + 1, "/") : 0;
	if (n >= sizeof(host) || m == 0 || m >= sizeof(port))
		return why_set(why, "\"url\" has no host and port");
	snprintf(host, sizeof(host), "%.*s", (int)n, text);
	snprintf(port, sizeof(port), "%.*s", (int)m, text + n + 1);
	text += n + 1 + m;
	if (parse_host(u, host) < 0)
		return why_set(why, "\"url\": %s is no loopback address", host);
	if (parse_i64(port, &number) < 0 || number < 1 || number > 65535 || !is_path(*text ? text : "/"))
		return why_set(why, "\"url\" has no port or path that can be used");
	u->address.sin_port = htons((uint16_t)number);
	u->path = mem_strdup(*text ? text : "/");
	return 0;
}

void hook_url_release(struct hook_url *u)
{
	free(u->path);
	u->path = NULL;
}

/* ---- numbers ---- */

static int read_number(const json_t *order, const char *name, int64_t least, int64_t most, int64_t *to, struct strbuf *why)
{
	const json_t *v = json_object_get(order, name);

	if (v && (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most))
		return why_set(why, "\"%s\" is not a number from %lld to %lld", name, (long long)least, (long long)most);
	if (v)
		*to = json_integer_value(v);
	return 0;
}

static int read_rate(const json_t *order, const char *name, double *to, struct strbuf *why)
{
	const json_t *v = json_object_get(order, name);

	if (v && (!json_is_number(v) || json_number_value(v) < 0 || json_number_value(v) > 1))
		return why_set(why, "\"%s\" is not between 0 and 1", name);
	if (v)
		*to = json_number_value(v);
	return 0;
}

static int read_span(const json_t *order, const char *name, struct hook_span *to, struct strbuf *why)
{
	const json_t *v = json_object_get(order, name), *from = json_array_get(v, 0), *last = json_array_get(v, 1);

	if (!v)
		return 0;
	if (json_array_size(v) != 2 || !json_is_integer(from) || !json_is_integer(last) || json_integer_value(from) < 0 ||
	    json_integer_value(last) < json_integer_value(from) || json_integer_value(last) > SPAN_MAX_MS)
		return why_set(why, "\"%s\" is not [FROM, TO] in milliseconds", name);
	*to = (struct hook_span){ json_integer_value(from), json_integer_value(last) };
	return 0;
}

static int read_flag(const json_t *order, const char *name, bool *to, struct strbuf *why)
{
	const json_t *v = json_object_get(order, name);

	if (v && !json_is_boolean(v))
		return why_set(why, "\"%s\" is not true or false", name);
	if (v)
		*to = json_is_true(v);
	return 0;
}

static int read_settings(struct hook_target *t, const json_t *order, struct strbuf *why)
{
#define HOOK_NUMBER(member, initial, least, most) \
	t->member = initial; \
	if (read_number(order, #member, least, most, &t->member, why) < 0) \
		return -1;
#define HOOK_SPAN(member, first, last) \
	t->member = (struct hook_span){ first, last }; \
	if (read_span(order, #member, &t->member, why) < 0) \
		return -1;
#define HOOK_RATE(member, initial) \
	t->member = initial; \
	if (read_rate(order, #member, &t->member, why) < 0) \
		return -1;
#define HOOK_FLAG(member, initial) \
	t->member = initial; \
	if (read_flag(order, #member, &t->member, why) < 0) \
		return -1;
#include "sandbox/tbl_hooks.h"
#undef HOOK_NUMBER
#undef HOOK_SPAN
#undef HOOK_RATE
#undef HOOK_FLAG
	return 0;
}

/* ---- the rest of an order ---- */

static int want(struct hook_target *t, const char *word)
{
	for (int s = 0; word && s < HOOK_FAILED; s++)
		if (strcmp(words[s], word) == 0) {
			t->wanted[s] = true;
			return 0;
		}
	return -1;
}

static int read_statuses(struct hook_target *t, const json_t *order, struct strbuf *why)
{
	const json_t *list = json_object_get(order, "statuses"), *v;
	size_t i;

	if (!list)
		t->wanted[HOOK_SENT] = t->wanted[HOOK_DELIVERED] = t->wanted[HOOK_READ] = true;
	if (list && !json_is_array(list))
		return why_set(why, "\"statuses\" is not an array");
	json_array_foreach(list, i, v)
		if (want(t, json_string_value(v)) < 0)
			return why_set(why, "\"statuses\": allowed are sent, delivered, read and played");
	return 0;
}

static int read_failures(struct hook_target *t, const json_t *order, struct strbuf *why)
{
	const json_t *fail = json_object_get(order, "fail");
	int64_t code = 131049;

	if (!fail)
		return 0;
	if (!json_is_object(fail))
		return why_set(why, "\"fail\" is not {\"rate\":SHARE,\"code\":N}");
	if (read_rate(fail, "rate", &t->fail_rate, why) < 0 || read_number(fail, "code", 1, INT32_MAX, &code, why) < 0)
		return -1;
	t->fail_code = (int)code;
	return 0;
}

static int read_one_late(struct hook_late *l, const json_t *o, struct strbuf *why)
{
	const char *to = json_string_value(json_object_get(o, "to"));
	int64_t code = 0;

	if (!to || !json_object_get(o, "code"))
		return why_set(why, "\"late\" has what is not {\"to\":DIGITS,\"code\":N,\"times\":N}");
	if (read_number(o, "code", 1, INT32_MAX, &code, why) < 0 || read_number(o, "times", 1, INT32_MAX, &l->times, why) < 0)
		return -1;
	l->to = mem_strdup(to);
	l->code = (int)code;
	return 0;
}

static int read_late(struct hook_target *t, const json_t *order, struct strbuf *why)
{
	const json_t *list = json_object_get(order, "late"), *o;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > LATE_MAX)
		return why_set(why, "\"late\" is not an array of up to %d", LATE_MAX);
	t->late = mem_array(json_array_size(list) + 1, sizeof(*t->late));
	json_array_foreach(list, i, o) {
		if (read_one_late(&t->late[i], o, why) < 0)
			return -1;
		t->n_late++;
	}
	return 0;
}

static int read_wabas(struct hook_target *t, const json_t *order, struct strbuf *why)
{
	const json_t *list = json_object_get(order, "wabas"), *v;
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return why_set(why, "\"wabas\" is not an array");
	json_array_foreach(list, i, v)
		if (!json_is_string(v))
			return why_set(why, "\"wabas\" has what is no text");
	t->wabas = json_deep_copy(list);
	return 0;
}

static int check_members(const json_t *order, struct strbuf *why)
{
	static const char *const known[] = {
		"url", "secret", "wabas", "statuses", "fail", "late", "pause",
#define HOOK_NUMBER(member, initial, least, most) #member,
#define HOOK_SPAN(member, first, last) #member,
#define HOOK_RATE(member, initial) #member,
#define HOOK_FLAG(member, initial) #member,
#include "sandbox/tbl_hooks.h"
#undef HOOK_NUMBER
#undef HOOK_SPAN
#undef HOOK_RATE
#undef HOOK_FLAG
	};
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)order, name, v) {
		size_t i = 0;
		while (i < ARRAY_LEN(known) && strcmp(known[i], name))
			i++;
		if (i == ARRAY_LEN(known))
			return why_set(why, "unknown member \"%s\"", name);
	}
	return 0;
}

struct hook_target *hook_target_new(const json_t *order, struct strbuf *why)
{
	struct hook_target *t = mem_alloc(sizeof(*t));
	const char *secret = json_string_value(json_object_get(order, "secret"));

	if (!json_is_object(order))
		why_write(why, "an order is a JSON object");
	else if (check_members(order, why) < 0 || hook_url_parse(&t->url, json_string_value(json_object_get(order, "url")), why) < 0 ||
		 read_settings(t, order, why) < 0 || read_statuses(t, order, why) < 0 || read_failures(t, order, why) < 0 ||
		 read_late(t, order, why) < 0 || read_wabas(t, order, why) < 0)
		;
	else if (!secret || !*secret)
		why_write(why, "\"secret\" is missing");
	else
		t->secret = mem_strdup(secret);
	if (!t->secret)
		hook_target_free(&t);
	return t;
}

void hook_target_free(struct hook_target **tp)
{
	struct hook_target *t = *tp;

	if (!t)
		return;
	hook_url_release(&t->url);
	mem_free_secret(t->secret);
	json_decref(t->wabas);
	for (int i = 0; i < t->n_late; i++)
		free(t->late[i].to);
	free(t->late);
	free(t);
	*tp = NULL;
}

int hook_target_late(struct hook_target *t, const char *to)
{
	for (int i = 0; i < t->n_late; i++) {
		struct hook_late *l = &t->late[i];

		if (strcmp(l->to, to) != 0 || l->times < 0)
			continue;
		if (l->times && --l->times == 0)
			l->times = -1;		/* used up */
		return l->code;
	}
	return 0;
}

bool hook_target_takes(const struct hook_target *t, const char *waba)
{
	const json_t *v;
	size_t i;

	json_array_foreach(t->wabas, i, v)
		if (strcmp(json_string_value(v), waba) == 0)
			return true;
	return !t->wabas;
}

void hook_sign(const char *secret, const void *body, size_t len, char out[HOOK_SIGNATURE_SIZE])
{
	struct hmac *h = hmac_new(secret, strlen(secret));
	uint8_t mac[SHA256_LEN];

	hmac_parts(h, &(struct crypto_part){ body, len }, 1, mac);
	hmac_free(&h);
	hex_encode(mac, sizeof(mac), out + snprintf(out, HOOK_SIGNATURE_SIZE, "sha256="));
}

bool hook_chance(double rate)
{
	return rate > 0 && (double)(rand_u64() >> 11) / 9007199254740992.0 < rate;
}

int64_t hook_draw(const struct hook_span *s)
{
	return s->to > s->from ? rand_between(s->from, s->to) : s->from;
}
