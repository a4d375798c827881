// SPDX-License-Identifier: GPL-2.0-or-later

/* Looks for the holder of a program in /proc and on each bpffs: see owner.h. */

#include "inspect/owner.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "kernel/mounts.h"
#include "log/log.h"

#define DAEMON_NAME   "ebpf-fwd\n" /* as /proc/PID/comm has it */
#define DIR_TEXT_MAX  256
#define LINE_MAX_PROC 256

static void closedirp(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

static bool is_daemon(const char *pid)
{
	char path[PATH_MAX], name[LINE_MAX_PROC] = "";
	_cleanup_fclose_ FILE *f = NULL;

	(void) snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	return f && fgets(name, sizeof(name), f) && strcmp(name, DAEMON_NAME) == 0;
}

/* The descriptor of a program says its id, and so does that of a link. */
static bool is_descriptor_of(const char *path, uint32_t program_id)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[LINE_MAX_PROC];
	uint32_t id;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "prog_id: %" SCNu32, &id) == 1 && id == program_id)
			return true;
	return false;
}

static bool has_descriptor(const char *pid, uint32_t program_id)
{
	_cleanup_(closedirp) DIR *d = NULL;
	const struct dirent *entry;
	char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	d = opendir(path);
	while (d && (entry = readdir(d))) {
		(void) snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, entry->d_name);
		if (entry->d_name[0] != '.' && is_descriptor_of(path, program_id))
			return true;
	}
	return false;
}

static int find_process(uint32_t program_id)
{
	_cleanup_(closedirp) DIR *d = opendir("/proc");
	const struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (isdigit((unsigned char)entry->d_name[0]) && is_daemon(entry->d_name) &&
		    has_descriptor(entry->d_name, program_id))
			return atoi(entry->d_name);
	return 0;
}

/* Of a pinned link or program, by the name of the directory that it is in: 0 = it is neither. */
static uint32_t pinned_program(const char *path, const char *part)
{
	struct bpf_link_info link = {};
	struct bpf_prog_info program = {};
	bool is_link = strcmp(part, "links") == 0;
	uint32_t size = is_link ? sizeof(link) : sizeof(program);
	char self[64], kind[32] = "";
	_cleanup_close_ int fd = -1;

	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	(void) snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (readlink(self, kind, sizeof(kind) - 1) < 0)
		return 0;
	if (strcmp(kind, is_link ? "anon_inode:bpf_link" : "anon_inode:bpf-prog") != 0 &&
	    strcmp(kind, is_link ? "anon_inode:bpf-link" : "anon_inode:bpf-prog") != 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, is_link ? (void *)&link : (void *)&program, &size) < 0)
		return 0;
	return is_link ? link.prog_id : program.id;
}

struct search {
	uint32_t program_id;
	struct owner *owner;
};

/* For mounts_foreach(): DIR/links/NAME and DIR/progs/NAME, for any DIR. */
static int search_mount(const struct mount *m, void *userdata)
{
	const struct search *s = userdata;
	char root[PATH_MAX];
	char *roots[] = { root, NULL };
	FTSENT *entry;
	FTS *tree;

	if (strcmp(m->type, "bpf") != 0 || snprintf(root, sizeof(root), "%s", m->point) >= (int)sizeof(root))
		return 0;
	tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	if (!tree)
		return 0;
	while (!s->owner->pin_dir[0] && (entry = fts_read(tree))) {
		const char *part = entry->fts_level > 0 ? entry->fts_parent->fts_name : "";

		if (entry->fts_info != FTS_F || (strcmp(part, "links") != 0 && strcmp(part, "progs") != 0))
			continue;
		if (pinned_program(entry->fts_path, part) == s->program_id)
			(void) snprintf(s->owner->pin_dir, sizeof(s->owner->pin_dir), "%.*s",
					(int)(entry->fts_pathlen - entry->fts_namelen - strlen(part) - 2),
					entry->fts_path);
	}
	(void) fts_close(tree);
	return s->owner->pin_dir[0] ? -EEXIST : 0;
}

bool owner_find(uint32_t program_id, struct owner *ret)
{
	struct search s = { program_id, ret };

	*ret = (struct owner){ .pid = find_process(program_id) };
	(void) mounts_foreach(search_mount, &s); /* what cannot be seen was not found */
	return ret->pid != 0 || ret->pin_dir[0];
}

const char *owner_format(const struct owner *o, char buffer[static OWNER_TEXT_MAX])
{
	char escaped[DIR_TEXT_MAX];
	size_t n = 0;

	buffer[0] = '\0';
	if (o->pid != 0)
		n = (size_t)snprintf(buffer, OWNER_TEXT_MAX, "process %d (ebpf-fwd)", o->pid);
	if (o->pin_dir[0])
		(void) snprintf(buffer + n, OWNER_TEXT_MAX - n, "%spins in '%s'", n > 0 ? ", " : "",
				log_escape(o->pin_dir, escaped, sizeof(escaped)));
	return buffer;
}
