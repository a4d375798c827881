// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The guard's view of other users at this host: the peers of connections to sshd. It applies to every caller, also tmux, a
 * timer or fail2ban. A peer that has not logged in yet is no reason not to block: with fail2ban it is usually an attacker.
 * sshd tells it in its title: "sshd: joe@pts/0" or "sshd: joe", but "sshd: joe [net]" before the login. Any user can choose
 * such a title. So a process counts only if it is root's, or runs the program of one that is. What cannot be read is
 * skipped.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "guard/guard.h"
#include "kernel/netlink.h"

#define TITLE_MAX   256
#define PORTS_MAX   16
#define PROGRAMS_MAX 8 /* sshd, sshd-session and sshd-auth, before and after an upgrade */
#define PORT        22
#define CONFIG      "/etc/ssh/sshd_config"

/* Sockets of processes that are sshd. */
struct ssh_socket {
	unsigned long inode;
	bool is_session; /* the peer has logged in */
	bool is_root;
};

/* A program file. */
struct program {
	dev_t device;
	ino_t inode;
};

struct sshd {
	struct guard *guard;
	struct ssh_socket *sockets;
	size_t n_sockets;
	struct program programs[PROGRAMS_MAX]; /* that root runs as sshd */
	size_t n_programs;
	bool is_there;
	uint16_t ports[PORTS_MAX];
	size_t n_ports;
};

static void sshd_done(struct sshd *s)
{
	free(s->sockets);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void) closedir(*d);
}

/* The command line: its words, each followed by a NUL, and one more. sshd puts its title into the first. */
static bool read_title(const char *pid, char title[static TITLE_MAX])
{
	_cleanup_close_ int fd = -1;
	char path[64];
	ssize_t n;

	(void) snprintf(path, sizeof(path), "/proc/%.16s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, title, TITLE_MAX - 2);
	if (n <= 0)
		return false;
	title[n] = title[n + 1] = '\0';
	return true;
}

/* "sshd", "/usr/sbin/sshd -D", "sshd-session: joe@pts/0" */
static bool is_sshd(const char *title)
{
	size_t length = strcspn(title, " :");
	const char *name = memrchr(title, '/', length);

	return strncmp(name ? name + 1 : title, "sshd", strlen("sshd")) == 0;
}

static bool is_session(const char *title)
{
	if (title[strcspn(title, " :")] == ':')
		return !strchr(title, '['); /* "[net]", "[priv]", "[accepted]", "[listener]" */
	for (const char *word = title; *word; word += strlen(word) + 1)
		if (strcmp(word, "-R") == 0)
			return false; /* just started for a new connection */
	return true; /* another than OpenSSH */
}

/* Is its real user root? The owner of /proc/PID says less: it is root for every process that must not be dumped. */
static bool is_roots(const char *pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[128];
	unsigned uid;

	(void) snprintf(path, sizeof(path), "/proc/%.16s/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Uid: %u", &uid) == 1)
			return uid == 0;
	return false;
}

static bool read_program(const char *pid, struct program *ret)
{
	char path[64];
	struct stat st;

	(void) snprintf(path, sizeof(path), "/proc/%.16s/exe", pid);
	if (stat(path, &st) < 0)
		return false;
	*ret = (struct program){ st.st_dev, st.st_ino };
	return true;
}

static bool is_known(const struct sshd *s, const struct program *p)
{
	for (size_t i = 0; i < s->n_programs; i++)
		if (s->programs[i].device == p->device && s->programs[i].inode == p->inode)
			return true;
	return false;
}

static int add_sockets(struct sshd *s, const char *pid, bool is_of_session, bool is_root)
{
	_cleanup_(closedirp) DIR *d = NULL;
	const struct dirent *e;
	char path[64], link[64];
	ssize_t n;

	(void) snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		struct ssh_socket *sockets, socket = { .is_session = is_of_session, .is_root = is_root };

		n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		if (sscanf(link, "socket:[%lu]", &socket.inode) != 1)
			continue;
		sockets = reallocarray(s->sockets, s->n_sockets + 1, sizeof(*sockets));
		if (!sockets)
			return -ENOMEM;
		s->sockets = sockets;
		s->sockets[s->n_sockets++] = socket;
	}
	return 0;
}

/* Processes of root, or of others that run the same programs: these have to come second. */
static int find_processes(struct sshd *s, bool is_root)
{
	_cleanup_(closedirp) DIR *d = opendir("/proc");
	struct program program;
	const struct dirent *e;
	char title[TITLE_MAX];
	bool has_program;
	int r = 0;

	while (d && r == 0 && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !read_title(e->d_name, title) || !is_sshd(title) ||
		    is_roots(e->d_name) != is_root)
			continue;
		has_program = read_program(e->d_name, &program);
		if (!is_root && !(has_program && is_known(s, &program)))
			continue;
		if (is_root && has_program && s->n_programs < PROGRAMS_MAX && !is_known(s, &program))
			s->programs[s->n_programs++] = program;
		s->is_there = true;
		r = add_sockets(s, e->d_name, is_session(title), is_root);
	}
	return r;
}

static void add_port(struct sshd *s, unsigned port)
{
	for (size_t i = 0; i < s->n_ports; i++)
		if (s->ports[i] == port)
			return;
	if (port > 0 && port <= UINT16_MAX && s->n_ports < PORTS_MAX)
		s->ports[s->n_ports++] = port;
}

static void read_config(struct sshd *s)
{
	_cleanup_fclose_ FILE *f = fopen(CONFIG, "re");
	_cleanup_free_ char *line = NULL;
	size_t n_allocated = 0;
	unsigned port;

	while (f && getline(&line, &n_allocated, f) > 0)
		if (sscanf(line, " Port %u", &port) == 1)
			add_port(s, port);
	if (s->n_ports == 0)
		add_port(s, PORT);
}

/* A listening socket of root's, or one of a session. */
static bool has_socket(const struct sshd *s, unsigned long inode, bool is_of_session)
{
	for (size_t i = 0; i < s->n_sockets; i++)
		if (s->sockets[i].inode == inode && (is_of_session ? s->sockets[i].is_session : s->sockets[i].is_root))
			return true;
	return false;
}

static int take_listener(const struct nlmsghdr *message, void *userdata)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(message);

	if (has_socket(userdata, m->idiag_inode, false))
		add_port(userdata, ntohs(m->id.idiag_sport));
	return 0;
}

static int take_connection(const struct nlmsghdr *message, void *userdata)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(message);
	const struct sshd *s = userdata;
	struct guard_session session = {
		.server_port = ntohs(m->id.idiag_sport),
		.client_port = ntohs(m->id.idiag_dport),
		.what = "an SSH session to this host",
		.peer_is = "the peer of an SSH session to this host",
	};

	if (s->is_there && !has_socket(s, m->idiag_inode, true))
		return 0;
	session.peer = netlink_socket_peer(m);
	return guard_add_session(s->guard, &session);
}

int guard_load_sshd(struct guard *g)
{
	_cleanup_(sshd_done) struct sshd s = { .guard = g };
	int r;

	for (size_t i = 0; i < g->n_sessions; i++)
		add_port(&s, g->sessions[i].server_port);
	read_config(&s);
	r = find_processes(&s, true);
	if (r == 0)
		r = find_processes(&s, false);
	if (r == 0 && s.n_sockets > 0)
		r = netlink_dump_sockets(IPPROTO_TCP, 1 << TCP_LISTEN, 0, 0, take_listener, &s);
	for (size_t i = 0; i < s.n_ports && r == 0; i++)
		r = netlink_dump_sockets(IPPROTO_TCP, 1 << TCP_ESTABLISHED, s.ports[i], 0, take_connection, &s);
	return r;
}
