// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * One line of a blocklist that is JSON lines, as Spamhaus DROP is: an object with a "cidr", or one
 * about the file, {"type":"metadata",...}. Other keys are the publisher's business.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <json-c/json.h>

#include "cleanup.h"
#include "feed-internal.h"

static void json_object_putp(json_object **o)
{
	(void) json_object_put(*o);
}

static bool is_string(json_object *o, const char *text)
{
	return json_object_is_type(o, json_type_string) &&
	       strcmp(json_object_get_string(o), text) == 0;
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

	return collector_add(&l->collector, json_object_get_string(cidr),
			     (size_t)json_object_get_string_len(cidr), ret_error);
}
