// SPDX-License-Identifier: GPL-2.0-or-later

/* Blocks at intervals: see screen.h. */

#include "output/screen.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "output/output.h"

#define BUFFER_SIZE 65536 /* of a block at once: it is drawn in one go */

#define TERMINAL_HOME "\033[H\033[J"

uint64_t screen_now_ns(void)
{
	struct timespec now;

	(void) clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

int screen_block_signals(sigset_t *ret)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction old;
	sigset_t set;

	(void) sigemptyset(&set);
	for (size_t i = 0; i < ELEMENTSOF(ending); i++)
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void) sigaddset(&set, ending[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	*ret = set;
	return 0;
}

int screen_begin(struct screen *s, struct ctl *ctl)
{
	uint64_t now = screen_now_ns();

	*s = (struct screen){
		.ctl = ctl,
		.size = terminal_size(),
		.interval_ns = ctl->interval_ns,
		.start_ns = now,
		.shown_ns = now,
		.end_ns = ctl->duration_ns > UINT64_MAX - now ? UINT64_MAX : now + ctl->duration_ns,
		.n_left = ctl->count,
	};
	(void) setvbuf(stdout, NULL, _IOFBF, BUFFER_SIZE);
	return screen_block_signals(&s->ends); /* they come while we wait, and at no other time */
}

/* Sleeps until a moment. False: a signal ends it all. */
static bool sleep_until(const struct screen *s, uint64_t until_ns)
{
	uint64_t now;

	while ((now = screen_now_ns()) < until_ns) {
		struct timespec left = {
			.tv_sec = (time_t)((until_ns - now) / NS_PER_SEC),
			.tv_nsec = (long)((until_ns - now) % NS_PER_SEC),
		};

		if (sigtimedwait(&s->ends, NULL, &left) > 0)
			return false;
	}
	return true;
}

int screen_wait(struct screen *s, int (*fn)(void *userdata), void *userdata, uint64_t *ret_elapsed_ns)
{
	uint64_t due = s->shown_ns + s->interval_ns, now;
	int r;

	*ret_elapsed_ns = 0;
	if (s->n_left == 0 || s->shown_ns >= s->end_ns)
		return 0;
	if (due > s->end_ns)
		due = s->end_ns;
	do {
		now = screen_now_ns();
		if (!sleep_until(s, due > now + NS_PER_SEC ? now + NS_PER_SEC : due))
			return 0;
		r = fn(userdata);
		if (r != 0)
			return r;
		now = screen_now_ns();
	} while (now < due);

	*ret_elapsed_ns = now - s->shown_ns;
	s->shown_ns = now;
	s->n_left--;
	return 0;
}

void screen_begin_block(struct screen *s)
{
	s->size = terminal_size();
	if (s->size.rows > 0 && !s->ctl->is_json)
		fputs(TERMINAL_HOME, stdout);
}

int screen_end_block(struct screen *s)
{
	bool is_last = s->n_left == 0 || s->shown_ns >= s->end_ns;

	if (!s->ctl->is_json && s->size.rows == 0 && !is_last)
		putchar('\n');
	return output_finish(s->ctl);
}
