// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The guard's view of SSH: from which address and over which ports the person at the keyboard is
 * here. sudo clears SSH_CONNECTION, therefore the environments of all ancestors are read as well;
 * what may not be read, or is gone, is skipped.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "guard/guard.h"

#define VARIABLE        "SSH_CONNECTION="
#define ANCESTORS_MAX   64
#define ENVIRONMENT_MAX (256 * 1024) /* bytes looked at per process */

/* value: "CLIENT PORT SERVER PORT". Anything else is not from sshd and ignored. */
static int add_session(struct guard *g, const char *value)
{
	char client[64], server[64];
	unsigned client_port, server_port;
	struct guard_session s = { .what = "this SSH session", .peer_is = "the peer of this SSH session" };

	if (sscanf(value, "%63s %u %63s %u", client, &client_port, server, &server_port) != 4 ||
	    client_port > UINT16_MAX || server_port > UINT16_MAX)
		return 0;
	client[strcspn(client, "%")] = '\0'; /* the zone of a link-local address */
	if (prefix_parse(client, strlen(client), &s.peer, NULL) < 0)
		return 0;
	s.server_port = server_port;
	s.client_port = client_port;
	return guard_add_session(g, &s);
}

/* Reads up to size - 1 bytes of /proc/PID/NAME and ends them with a NUL; 0 if it cannot be read. */
static size_t read_proc(int pid, const char *name, char *buffer, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	size_t length = 0;
	ssize_t n;

	(void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;

	do {
		n = read(fd, buffer + length, size - 1 - length);
		if (n > 0)
			length += n;
	} while (n > 0 && length < size - 1);
	buffer[length] = '\0';
	return length;
}

/* From "PID (NAME) STATE PPID ...", where NAME may hold parentheses too; 0 if it is not known. */
static int parent_of(int pid)
{
	char text[512];
	const char *end;
	int parent;

	if (read_proc(pid, "stat", text, sizeof(text)) == 0)
		return 0;
	end = strrchr(text, ')');
	return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

int guard_load_sessions(struct guard *g)
{
	_cleanup_free_ char *text = malloc(ENVIRONMENT_MAX);
	int pid = getpid(), r;
	size_t length;

	if (!text)
		return -ENOMEM;

	/* the first turn is this process itself */
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++, pid = parent_of(pid)) {
		length = read_proc(pid, "environ", text, ENVIRONMENT_MAX);
		for (size_t at = 0; at < length; at += strlen(text + at) + 1) {
			if (strncmp(text + at, VARIABLE, strlen(VARIABLE)) != 0)
				continue;
			r = add_session(g, text + at + strlen(VARIABLE));
			if (r < 0)
				return r;
		}
	}
	return 0;
}
