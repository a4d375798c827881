// SPDX-License-Identifier: GPL-2.0-or-later

/* RUN/unseen: "window USEC LENGTH", then "HOOK DIRECTION EXPECTED SEEN NAME" for each, as numbers; see unseen.h. */

#include "hook/unseen.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/rewrite.h"
#include "text/names.h"

#define FILE_NAME "unseen"
#define NO_NAME   "-/" /* no interface may have this name */
#define LATE_WINDOWS 3 /* after so many, and some time on a busy machine, nobody writes it any more */
#define LATE_USEC (15 * USEC_PER_SEC)

static bool is_fresh(const struct unseen_report *report, uint64_t now_usec)
{
	return report->usec <= now_usec && report->window_usec <= 3600 * USEC_PER_SEC &&
	       now_usec - report->usec <= LATE_WINDOWS * report->window_usec + LATE_USEC;
}

static bool parse_item(const char *line, struct unseen *ret)
{
	struct unseen u = {};
	unsigned hook, direction;

	if (sscanf(line, "%u %u %" SCNu64 " %" SCNu64 " %15s", &hook, &direction, &u.n_expected, &u.n_seen, u.name) != 5 ||
	    hook >= FW_HOOK_CGROUP || direction >= _FW_DIRECTION_MAX)
		return false;
	u.hook = hook;
	u.direction = direction;
	if (strcmp(u.name, NO_NAME) == 0)
		u.name[0] = '\0';
	*ret = u;
	return true;
}

void unseen_read(const char *run_dir, uint64_t now_usec, struct unseen_report *ret)
{
	struct unseen_report report = {};
	_cleanup_fclose_ FILE *f = NULL;
	char path[PATH_MAX], line[UNSEEN_TEXT_MAX];

	*ret = (struct unseen_report){};
	(void) snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f) ||
	    sscanf(line, "window %" SCNu64 " %" SCNu64, &report.usec, &report.window_usec) != 2 || !is_fresh(&report, now_usec))
		return;
	while (report.n < UNSEEN_MAX && fgets(line, sizeof(line), f))
		if (parse_item(line, &report.items[report.n]))
			report.n++;
	*ret = report;
}

/* For rewrite_file(). */
static int write_report(FILE *f, const void *userdata)
{
	const struct unseen_report *report = userdata;

	(void) fprintf(f, "window %" PRIu64 " %" PRIu64 "\n", report->usec, report->window_usec);
	for (size_t n = 0; n < report->n; n++) {
		const struct unseen *u = &report->items[n];

		(void) fprintf(f, "%u %u %" PRIu64 " %" PRIu64 " %s\n", (unsigned)u->hook, (unsigned)u->direction, u->n_expected,
			      u->n_seen, u->name[0] ? u->name : NO_NAME);
	}
	return 0;
}

int unseen_write(const char *run_dir, const struct unseen_report *report)
{
	char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	return rewrite_file(path, write_report, report);
}

int unseen_remove(const char *run_dir)
{
	char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

const char *unseen_describe(const struct unseen *u, char buffer[static UNSEEN_TEXT_MAX])
{
	const char *verb = u->direction == FW_INGRESS ? "receive" : "send";

	(void) snprintf(buffer, UNSEEN_TEXT_MAX, "%s %s sees %" PRIu64 " of %" PRIu64 " packets that %s %s%s", hook_to_string(u->hook),
			direction_to_string(u->direction), u->n_seen, u->n_expected, u->name[0] ? u->name : "its interfaces", verb,
			u->name[0] ? "s" : "");
	return buffer;
}
