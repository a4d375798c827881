// SPDX-License-Identifier: GPL-2.0-or-later

/* Words for the enums of abi.h. Readers of JSON and of the journal depend on each of them. */

#include "base/cleanup.h"
#include "base/words.h"
#include "text/names.h"

static const char *const hooks[_FW_HOOK_MAX] = {
	[FW_HOOK_XDP] = "xdp",
	[FW_HOOK_TC] = "tc",
	[FW_HOOK_CGROUP] = "cgroup",
};

static const char *const directions[_FW_DIRECTION_MAX] = {
	[FW_INGRESS] = "ingress",
	[FW_EGRESS] = "egress",
};

static const char *const verdicts[_FW_VERDICT_MAX] = {
	[FW_PASS] = "pass",
	[FW_DROP] = "drop",
};

static const char *const reasons[_FW_REASON_MAX] = {
	[FW_REASON_NO_MATCH] = "no-match",
	[FW_REASON_NOT_IP] = "not-ip",
	[FW_REASON_ALLOWED] = "allowed",
	[FW_REASON_AUDITED] = "audited",
	[FW_REASON_UNPARSED] = "unparsed",
	[FW_REASON_ADDRESS] = "address",
	[FW_REASON_PORT] = "port",
	[FW_REASON_MALFORMED] = "malformed",
	[FW_REASON_HIDDEN_PORT] = "hidden-port",
};

static const char *const mechanisms[_FW_MECHANISM_MAX] = {
	[FW_MECHANISM_NONE] = "none",
	[FW_MECHANISM_TCX] = "tcx",
	[FW_MECHANISM_CLSACT] = "clsact",
	[FW_MECHANISM_CGROUP] = "cgroup",
	[FW_MECHANISM_XDP_NATIVE] = "xdp native",
	[FW_MECHANISM_XDP_GENERIC] = "xdp generic",
};

const char *hook_to_string(enum fw_hook h)
{
	return words_get(hooks, ELEMENTSOF(hooks), h);
}

int hook_from_string(const char *text, size_t length)
{
	return words_find(hooks, ELEMENTSOF(hooks), text, length);
}

const char *direction_to_string(enum fw_direction d)
{
	return words_get(directions, ELEMENTSOF(directions), d);
}

const char *verdict_to_string(enum fw_verdict v)
{
	return words_get(verdicts, ELEMENTSOF(verdicts), v);
}

const char *reason_to_string(enum fw_reason r)
{
	return words_get(reasons, ELEMENTSOF(reasons), r);
}

const char *mechanism_to_string(enum fw_mechanism m)
{
	return words_get(mechanisms, ELEMENTSOF(mechanisms), m);
}
