// SPDX-License-Identifier: GPL-2.0-or-later

/* Thresholds of the witness: see judge.h. */

#include "report/judge.h"

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

bool judge_since(const struct judge_count *was, const struct judge_count *is, struct judge_count *ret)
{
	if (is->packets < was->packets || is->bytes < was->bytes)
		return false;
	*ret = (struct judge_count){ is->packets - was->packets, is->bytes - was->bytes };
	return true;
}

uint64_t judge_expected(const struct judge_window *w)
{
	return less(w->crossed.packets, w->ahead.packets);
}

static bool is_most(uint64_t expected, uint64_t seen)
{
	return less(expected, seen) > expected / 2;
}

bool judge_is_missed(const struct judge_window *w)
{
	return judge_expected(w) >= JUDGE_PACKETS_MIN && is_most(judge_expected(w), w->seen.packets) &&
	       is_most(less(w->crossed.bytes, w->ahead.bytes), w->seen.bytes);
}

enum judge_news judge_window(struct judge_state *s, const struct judge_window *w)
{
	if (judge_expected(w) < JUDGE_PACKETS_MIN)
		return JUDGE_SAME;
	if (judge_is_missed(w)) {
		if (s->n_missed < JUDGE_WINDOWS)
			s->n_missed++;
		if (s->is_missing || s->n_missed < JUDGE_WINDOWS)
			return JUDGE_SAME;
		s->is_missing = true;
		return JUDGE_MISSES;
	}
	s->n_missed = 0;
	if (!s->is_missing)
		return JUDGE_SAME;
	s->is_missing = false;
	return JUDGE_SEES_AGAIN;
}
