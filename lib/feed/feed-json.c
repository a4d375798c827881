// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One line of a blocklist that is JSON lines, as Spamhaus DROP is: an object with a "cidr", or one
 * about the file, {"type":"metadata",...}. Other keys are the publisher's business.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "feed/feed-internal.h"

static void json_object_putp(json_object **o)
{
	(void) json_object_put(*o);
}

static bool is_string(json_object *o, const char *text)
{
	return json_object_is_type(o, json_type_string) &&
	       strcmp(json_object_get_string(o), text) == 0;
}

/* Keys that take something out of the prefix, or turn it round, unless they are false or empty. */
static const char *const exception_keys[] = {
	"allow",  "allowed",  "except", "exceptions", "exclude", "excluded", "excludes",  "invert",
	"inverted", "negate", "negated", "nomatch",  "not",     "removed",  "whitelist", "whitelisted",
};

/* Keys that may belong to the address. */
static const char *const length_keys[] = { "bits", "mask", "netmask", "prefix_len", "prefix_length", "prefixlen" };

static bool is_among(const char *key, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(key, keys[i]) == 0)
			return true;
	return false;
}

static bool is_nothing(json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_array:
		return json_object_array_length(o) == 0;
	case json_type_object:
		return json_object_object_length(o) == 0;
	case json_type_string:
		return json_object_get_string_len(o) == 0;
	default:
		return !json_object_get_boolean(o);
	}
}

static const char *read_other_keys(struct line_reader *l, json_object *object, bool has_length)
{
	static const char *const allowing[] = { "accept", "allow", "pass", "permit" };

	json_object_object_foreach(object, key, value) {
		if ((is_among(key, exception_keys, ELEMENTSOF(exception_keys)) && !is_nothing(value)) ||
		    (strcasecmp(key, "action") == 0 && json_object_is_type(value, json_type_string) &&
		     is_among(json_object_get_string(value), allowing, ELEMENTSOF(allowing))))
			return l->doubt = "exceptions in JSON cannot be loaded: print what is meant, one address or prefix a line";
		if (!has_length && is_among(key, length_keys, ELEMENTSOF(length_keys)) && value)
			return "\"cidr\" needs the prefix length itself";
	}
	return NULL;
}

int line_reader_read_json(struct line_reader *l, struct word line, struct meaning *ret,
			  const char **ret_error)
{
	_cleanup_(json_object_putp) json_object *object = NULL;
	json_object *cidr, *type;

	if (!l->tokener)
		l->tokener = json_tokener_new();
	if (!l->tokener)
		return -ENOMEM;

	json_tokener_reset(l->tokener); /* it may have stopped within a broken line */
	if (line.length <= INT_MAX)
		object = json_tokener_parse_ex(l->tokener, line.text, (int)line.length);
	if (!json_object_is_type(object, json_type_object) ||
	    json_tokener_get_parse_end(l->tokener) != line.length) {
		*ret_error = "expected one whole JSON object on the line";
		return -EBADMSG;
	}

	ret->format = FEED_JSON;
	if (!json_object_object_get_ex(object, "cidr", &cidr)) {
		ret->kind = LINE_METADATA;
		if (json_object_object_get_ex(object, "type", &type) && is_string(type, "metadata"))
			return 0;
		*ret_error = "a JSON object needs a \"cidr\"";
		return -EBADMSG;
	}
	if (!json_object_is_type(cidr, json_type_string)) {
		*ret_error = "\"cidr\" must be a string";
		return -EBADMSG;
	}

	*ret_error = read_other_keys(l, object, strchr(json_object_get_string(cidr), '/') != NULL);
	if (*ret_error)
		return -EBADMSG;
	return collector_add(&l->collector, json_object_get_string(cidr),
			     (size_t)json_object_get_string_len(cidr), ret_error);
}
