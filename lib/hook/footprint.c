// SPDX-License-Identifier: GPL-2.0-or-later

/* RUN/attached, a line for each thing: see footprint.h. */

#include "hook/footprint.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/rewrite.h"

#define FILE_NAME "attached"
#define CGROUP    "cgroup "
#define PROGRAM   "program "

bool footprint_add_cgroup(struct footprint *f, const char *path)
{
	for (size_t i = 0; i < f->n_cgroups; i++)
		if (strcmp(f->cgroups[i], path) == 0)
			return true;
	if (f->n_cgroups == FOOTPRINT_CGROUPS_MAX || strlen(path) >= FW_TEXT_MAX)
		return false;
	strcpy(f->cgroups[f->n_cgroups++], path);
	return true;
}

bool footprint_has_program(const struct footprint *f, uint32_t id)
{
	for (size_t i = 0; i < f->n_programs; i++)
		if (f->programs[i] == id)
			return true;
	return false;
}

bool footprint_add_program(struct footprint *f, uint32_t id)
{
	if (footprint_has_program(f, id))
		return true;
	if (f->n_programs == FOOTPRINT_PROGRAMS_MAX)
		return false;
	f->programs[f->n_programs++] = id;
	return true;
}

void footprint_read(const char *run_dir, struct footprint *ret)
{
	char path[PATH_MAX], line[FW_TEXT_MAX + sizeof(CGROUP)];
	_cleanup_fclose_ FILE *file = NULL;
	uint32_t id;

	*ret = (struct footprint){};
	(void) snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, CGROUP "/", strlen(CGROUP "/")) == 0)
			(void) footprint_add_cgroup(ret, line + strlen(CGROUP));
		else if (sscanf(line, PROGRAM "%" SCNu32, &id) == 1)
			(void) footprint_add_program(ret, id);
	}
}

/* For rewrite_file(). */
static int write_lines(FILE *file, const void *userdata)
{
	const struct footprint *f = userdata;

	for (size_t i = 0; i < f->n_cgroups; i++)
		fprintf(file, CGROUP "%s\n", f->cgroups[i]);
	for (size_t i = 0; i < f->n_programs; i++)
		fprintf(file, PROGRAM "%" PRIu32 "\n", f->programs[i]);
	return 0;
}

int footprint_write(const char *run_dir, const struct footprint *f)
{
	char path[PATH_MAX];

	(void) snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	return rewrite_file(path, write_lines, f);
}
