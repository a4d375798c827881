/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The only place that prints on behalf of lib/ and the programs' diagnostics: to the journal where
 * stderr is connected to it ($JOURNAL_STREAM), else one line to stderr, "PROGRAM: message", with control
 * characters escaped. Programs log, libraries return: code in lib/ calls nothing of this above LOG_DEBUG.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <syslog.h>

/* name: shown before each line on stderr. max_level: LOG_INFO, or LOG_DEBUG to see everything. */
void log_setup(const char *name, int max_level);

/*
 * Logs with errno set to -error, so that "%m" names it, and returns error: a failing branch is
 * "return log_error(r, "Cannot open '%s': %m", path);". error may be 0: then nothing is known of a cause.
 */
int log_full(int level, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define log_error(error, ...)   log_full(LOG_ERR, error, __VA_ARGS__)
#define log_warning(error, ...) log_full(LOG_WARNING, error, __VA_ARGS__)
#define log_notice(...)         ((void) log_full(LOG_NOTICE, 0, __VA_ARGS__))
#define log_info(...)           ((void) log_full(LOG_INFO, 0, __VA_ARGS__))
#define log_debug(...)          ((void) log_full(LOG_DEBUG, 0, __VA_ARGS__))

/*
 * A record with fields of its own in addition to the message: fields is a NULL-terminated array of "FW_NAME=value". Never
 * blocks: what the journal does not take at once is dropped and counted. On stderr only the message is shown.
 */
void log_record(int level, const char *message_id, const char *const *fields, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * A record for the journal alone, whether or not stderr leads there: for a tool that people run by hand. A record from root
 * also counts as one of the unit of process object_pid, where "journalctl -u" finds it; 0 = of none. If there is no journal,
 * or it does not take the record at once, the record is lost.
 */
void log_journal(int level, const char *message_id, int object_pid, const char *const *fields, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* A whole line to stderr as it is, without the name of the program. */
void log_line(const char *text);

/*
 * From hold to release nothing is written to stderr, which may be a pipe without a reader: lines are kept in memory and
 * written at the release. For the time in which others wait for us. What goes to the journal does not wait.
 */
void log_hold(void);
void log_release(void);

/* Records that the journal did not take since the start. */
unsigned long log_lost(void);

/*
 * Waits until the journal has read what it was sent, a second at most. For a process that is about to end: the journal looks
 * up the sender when it reads a record, and "journalctl -u" would not show the record of a process that is gone by then.
 */
void log_flush(void);

/* Makes libbpf's own messages pass through here, one level quieter. */
void log_libbpf(void);

/* text with control characters and bytes outside ASCII as \xNN, cut to fit: safe inside a message. */
const char *log_escape(const char *text, char *buffer, size_t size);
