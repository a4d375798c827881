// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * List files: read whole, appended to, or replaced, so that a crash at any point leaves the old list or the new one.
 * listtext.c has their contents, listplace.c their place.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "lists/listfile.h"
#include "lists/listplace.h"
#include "lists/listtext.h"

#define WRITE_BUFFER 65536 /* bytes that go to a new file at a time */

/* Reads size bytes, fewer only where the file ends before: returns how many. */
static ssize_t read_at(int fd, char *buffer, size_t size, off_t offset)
{
	size_t n_read = 0;

	while (n_read < size) {
		ssize_t n = pread(fd, buffer + n_read, size - n_read, offset + (off_t)n_read);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		if (n > 0)
			n_read += (size_t)n;
	}
	return (ssize_t)n_read;
}

/* Writes all of text at offset. */
static int write_at(int fd, const char *text, size_t size, off_t offset)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, text, size, offset);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			size -= (size_t)n;
			offset += n;
		}
	}
	return 0;
}

/* The caller frees *ret_text. -ENOENT; -ELOOP, -EISDIR, -ENOTSUP: it is no regular file. */
static int read_file(const struct place *place, char **ret_text, size_t *ret_size)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct stat st;
	ssize_t size;
	int r;

	r = place_open_file(place, O_RDONLY, &fd);
	if (r < 0)
		return r;

	if (fstat(fd, &st) < 0)
		return -errno;
	text = malloc((size_t)st.st_size + 1); /* + 1: so that an empty file has a text too */
	if (!text)
		return -ENOMEM;
	size = read_at(fd, text, (size_t)st.st_size, 0);
	if (size < 0)
		return (int)size;

	*ret_text = TAKE_PTR(text);
	*ret_size = (size_t)size;
	return 0;
}

/* The first line, if it is a header, as a list of that name. */
static int read_header(const struct place *place, const char *name, struct list **ret_list)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t n_allocated = 0, length;
	ssize_t size;
	int r;

	r = place_open_file(place, O_RDONLY, &fd);
	if (r < 0)
		return r;
	f = fdopen(fd, "r");
	if (!f)
		return -errno;
	(void) TAKE_FD(fd);

	size = getline(&text, &n_allocated, f);
	if (size < 0 && !feof(f))
		return -errno;
	if (size < 0)
		size = 0; /* the file is empty */
	length = list_header_length(text, (size_t)size);
	return list_parse(name, TAKE_PTR(text), length, ret_list);
}

int listfile_read_header(const char *state_dir, const char *name, struct list **ret_list)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	int r;

	r = place_open(&place, state_dir, name, false);
	return r < 0 ? r : read_header(&place, name, ret_list);
}

int listfile_read(const char *state_dir, const char *name, struct list **ret_list)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	size_t size;
	char *text;
	int r;

	r = place_open(&place, state_dir, name, false);
	if (r < 0)
		return r;

	r = read_file(&place, &text, &size);
	if (place_is_irregular(r))
		return -EBADMSG;
	if (r < 0)
		return r;
	return list_parse(name, text, size, ret_list);
}

/* How long the file is up to the end of its last whole line. */
static int whole_length(int fd, off_t *ret_length, bool *ret_is_torn)
{
	char buffer[4096];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;

	for (off_t end = st.st_size; end > 0;) {
		size_t want = end < (off_t)sizeof(buffer) ? (size_t)end : sizeof(buffer);
		const char *newline;
		ssize_t n;

		end -= (off_t)want;
		n = read_at(fd, buffer, want, end);
		if (n < 0)
			return (int)n;

		newline = memrchr(buffer, '\n', (size_t)n);
		if (newline) {
			*ret_length = end + (newline - buffer) + 1;
			*ret_is_torn = *ret_length < st.st_size;
			return 0;
		}
	}

	*ret_length = 0;
	*ret_is_torn = st.st_size > 0;
	return 0;
}

/* Cuts off a torn end, or ends a line that counts. That stays even if the rest fails. */
static int end_last_line(const struct place *place, const char *name, int fd, off_t *length)
{
	_cleanup_(list_freep) struct list *l = NULL;
	struct stat st;
	size_t size;
	char *text;
	int r;

	r = read_file(place, &text, &size);
	if (r >= 0)
		r = list_parse(name, text, size, &l);
	if (r < 0)
		return r;
	if (!l->is_open)
		return ftruncate(fd, *length) < 0 ? -errno : 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	r = write_at(fd, "\n", 1, st.st_size);
	if (r >= 0)
		*length = st.st_size + 1;
	return r;
}

int listfile_append(const char *state_dir, const struct list_header *header,
		    const struct list_line *lines, size_t n_lines)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t size;
	off_t length;
	bool is_torn;
	int r;

	r = place_open(&place, state_dir, header->name, true);
	if (r < 0)
		return r;

	r = place_open_file(&place, O_RDWR, &fd);
	if (r == -ENOENT) /* it shall appear together with its header */
		return listfile_replace(state_dir, header, lines, n_lines);
	if (r < 0)
		return r;

	r = whole_length(fd, &length, &is_torn);
	if (r < 0)
		return r;
	if (length == 0 && !is_torn)
		return listfile_replace(state_dir, header, lines, n_lines);

	r = list_print(NULL, lines, n_lines, &text, &size);
	if (r < 0)
		return r;

	/* An end without a newline would become one line with what follows it. */
	if (is_torn) {
		r = end_last_line(&place, header->name, fd, &length);
		if (r < 0)
			return r;
		if (length == 0)
			return listfile_replace(state_dir, header, lines, n_lines);
	}
	r = write_at(fd, text, size, length);
	if (r >= 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0) {
		/* Making a file shorter needs no space; a disk that refuses is beyond help. */
		(void) !ftruncate(fd, length);
		(void) fsync(fd);
	}
	return r;
}

/* A file that is to take the place of another: temporary until it is whole, and starts with a dot, so no list. */
struct new_file {
	const struct place *place;
	char name[sizeof(((struct place *)0)->path)];
	int fd;
};

static int new_file_begin(const struct place *place, struct new_file *ret)
{
	*ret = (struct new_file){ .place = place };
	(void) snprintf(ret->name, sizeof(ret->name), ".%s.new", place->file);
	/* One left by a crash is in the way; we hold the writer lock, so it is not in use. */
	(void) unlinkat(place->dir_fd, ret->name, 0);
	ret->fd = openat(place->dir_fd, ret->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return ret->fd < 0 ? -errno : 0;
}

/* It becomes the file; or, if r says that it could not be written, goes, and the file is as it was. */
static int new_file_end(struct new_file *n, int r)
{
	const struct place *place = n->place;

	if (r >= 0 && fsync(n->fd) < 0)
		r = -errno;
	closep(&n->fd);
	if (r >= 0 && renameat(place->dir_fd, n->name, place->dir_fd, place->file) < 0)
		r = -errno;
	if (r >= 0 && fsync(place->dir_fd) < 0)
		r = -errno;
	if (r < 0)
		(void) unlinkat(place->dir_fd, n->name, 0); /* gone already, or litter at worst */
	return r;
}

/* Replaces the file by two texts, one after the other; or leaves it as it was. */
static int replace_text(const struct place *place, const char *head, size_t head_size, const char *rest,
			size_t rest_size)
{
	struct new_file n;
	int r;

	r = new_file_begin(place, &n);
	if (r < 0)
		return r;
	r = write_at(n.fd, head, head_size, 0);
	if (r >= 0)
		r = write_at(n.fd, rest, rest_size, (off_t)head_size);
	return new_file_end(&n, r);
}

/* Through a buffer: a long list is some 20 MB of text, for which there may be no memory. */
static int write_lines(int fd, const struct list_header *header, const struct list_line *lines, size_t n_lines)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *f = copy < 0 ? NULL : fdopen(copy, "w");
	int r = f ? 0 : -errno;

	if (!f) {
		closep(&copy);
		return r;
	}
	(void) setvbuf(f, NULL, _IOFBF, WRITE_BUFFER); /* else it takes more calls */
	errno = 0;
	list_write(f, header, lines, n_lines);
	if (ferror(f))
		r = errno ? -errno : -EIO;
	if (fclose(f) != 0 && r >= 0)
		r = -errno;
	return r;
}

/* The header, with the comment of the file if it says nothing of one. *before backs that, and may stay NULL. */
static struct list_header complete_header(const struct place *place, const struct list_header *header,
					  struct list **before)
{
	struct list_header h = *header;

	/* a file that is not there has none */
	if (!h.comment && read_header(place, header->name, before) == 0)
		h.comment = (*before)->header.comment;
	return h;
}

int listfile_replace(const char *state_dir, const struct list_header *header,
		     const struct list_line *lines, size_t n_lines)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	_cleanup_(list_freep) struct list *before = NULL;
	struct list_header whole;
	struct new_file n;
	int r;

	r = place_open(&place, state_dir, header->name, true);
	if (r < 0)
		return r;

	whole = complete_header(&place, header, &before);
	r = new_file_begin(&place, &n);
	return r < 0 ? r : new_file_end(&n, write_lines(n.fd, &whole, lines, n_lines));
}

int listfile_set_header(const char *state_dir, const struct list_header *header)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	_cleanup_(list_freep) struct list *before = NULL;
	_cleanup_free_ char *head = NULL, *text = NULL;
	size_t head_size, size = 0, start;
	struct list_header whole;
	int r;

	r = place_open(&place, state_dir, header->name, true);
	if (r < 0)
		return r;

	r = read_file(&place, &text, &size);
	if (r < 0 && r != -ENOENT)
		return r;
	whole = complete_header(&place, header, &before);
	r = list_print(&whole, NULL, 0, &head, &head_size);
	if (r < 0)
		return r;
	start = list_header_length(text, size);
	return replace_text(&place, head, head_size, text ? text + start : NULL, size - start);
}

uint32_t listfile_stamp(const char *state_dir, const char *name)
{
	_cleanup_(place_done) struct place place = { .dir_fd = -1 };
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a, by words */
	struct stat st;
	uint32_t stamp;

	if (place_open(&place, state_dir, name, false) < 0 ||
	    fstatat(place.dir_fd, place.file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;

	const uint64_t words[] = {
		st.st_ino,          st.st_size,        st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec, st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
	};
	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		h = (h ^ words[i]) * UINT64_C(1099511628211);
	stamp = h ^ h >> 32;
	return stamp > LISTFILE_STAMP_WRONG ? stamp : LISTFILE_STAMP_WRONG + 1;
}
