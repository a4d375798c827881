// SPDX-License-Identifier: GPL-2.0-or-later

/* ebpf-fwd: options, and the order of things. What a step does is in manager.c. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "attach/descriptors.h"
#include "base/cleanup.h"
#include "base/daemon.h"
#include "base/streams.h"
#include "capabilities.h"
#include "kernel/pins.h"
#include "log/log.h"
#include "manager.h"

enum {
	EXIT_AGAIN = 3, /* to be started again, in another mount namespace */
	EXIT_LASTING = 2, /* command line, configuration, pin directory: to start again would not help */
};

struct command_line {
	struct options options;
	bool is_debug;
	bool is_check; /* --check-config */
};

enum option {
	OPTION_CONFIG,
	OPTION_PIN_DIR,
	OPTION_STATE_DIR,
	OPTION_RUN_DIR,
	OPTION_CHECK_CONFIG,
	OPTION_DEBUG,
	OPTION_HELP,
	OPTION_VERSION,
	_OPTION_MAX,
};

/* The command line and --help come from the same rows. */
static const struct row {
	const char *name;
	const char *argument; /* NULL = takes none */
	const char *help;
} rows[_OPTION_MAX] = {
	[OPTION_CONFIG] = { "config", "FILE", "Configuration, default " FW_CONFIG_FILE },
	[OPTION_PIN_DIR] = { "pin-dir", "DIR", "Where everything is pinned, default " PINS_DIR_DEFAULT },
	[OPTION_STATE_DIR] = { "state-dir", "DIR", "Where durable lists are, default " FW_STATE_DIR },
	[OPTION_RUN_DIR] = { "run-dir", "DIR", "Locks and the last statistics, default " FW_RUN_DIR },
	[OPTION_CHECK_CONFIG] = { "check-config", NULL, "Check the configuration: exit 0, or 2 if it is wrong" },
	[OPTION_DEBUG] = { "debug", NULL, "Say more, the words of the BPF verifier among it" },
	[OPTION_HELP] = { "help", NULL, "Show this help" },
	[OPTION_VERSION] = { "version", NULL, "Show the version" },
};

static void show_help(void)
{
	printf("ebpf-fwd [OPTION...]\n\nLoads, attaches and tends the firewall. Its lists are fwctl(8)'s.\n\n");
	for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
		int n = printf("  --%s%s%s", rows[i].name, rows[i].argument ? "=" : "",
			       rows[i].argument ? rows[i].argument : "");

		printf("%*s%s\n", n < 22 ? 22 - n : 1, "", rows[i].help);
	}
	printf("\nSee ebpf-fwd(8) and ebpf-fw.conf(5).\n");
}

/* Cuts "--NAME=VALUE" or "--NAME VALUE" off argv; getopt_long() would take abbreviations. Logs. */
static int next_option(int argc, char **argv, int *i, enum option *ret_option,
		       const char **ret_value)
{
	const char *text = argv[*i], *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : strlen(text);
	char shown[128];

	(void) log_escape(text, shown, sizeof(shown));
	for (enum option o = 0; o < _OPTION_MAX; o++) {
		const struct row *row = &rows[o];

		if (n != strlen(row->name) + 2 || strncmp(text, "--", 2) != 0 ||
		    strncmp(text + 2, row->name, n - 2) != 0)
			continue;
		if (equals && !row->argument)
			return log_error(-EINVAL, "'%s': --%s takes no value", shown, row->name);
		if (row->argument) {
			*ret_value = equals ? equals + 1 : argv[++*i];
			if (*i >= argc || !**ret_value)
				return log_error(-EINVAL, "--%s lacks its %s", row->name, row->argument);
		}
		++*i;
		*ret_option = o;
		return 0;
	}
	return log_error(-EINVAL, "'%s' is not an option, see ebpf-fwd --help", shown);
}

/* Exit status if there is nothing more to do, else -1. */
static int parse_arguments(int argc, char **argv, struct command_line *ret)
{
	struct command_line c = {
		.options = {
			.config_file = FW_CONFIG_FILE,
			.pin_dir = PINS_DIR_DEFAULT,
			.state_dir = FW_STATE_DIR,
			.run_dir = FW_RUN_DIR,
		},
	};
	const char *value = NULL;
	enum option option = _OPTION_MAX;

	for (int i = 1; i < argc;) {
		if (next_option(argc, argv, &i, &option, &value) < 0)
			return EXIT_LASTING;
		switch (option) {
		case OPTION_CONFIG:
			c.options.config_file = value;
			break;
		case OPTION_PIN_DIR:
			c.options.pin_dir = value;
			break;
		case OPTION_STATE_DIR:
			c.options.state_dir = value;
			break;
		case OPTION_RUN_DIR:
			c.options.run_dir = value;
			break;
		case OPTION_CHECK_CONFIG:
			c.is_check = true;
			break;
		case OPTION_DEBUG:
			c.is_debug = true;
			break;
		case OPTION_HELP:
			show_help();
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			printf("ebpf-fwd %s\n", FW_VERSION);
			return EXIT_SUCCESS;
		case _OPTION_MAX: /* a count, not an option */
			break;
		}
	}
	*ret = c;
	return -1;
}

/* Blocked from the start, so that none is lost; the event loop takes them from there. */
static void block_signals(void)
{
	sigset_t signals;

	(void) sigemptyset(&signals);
	(void) sigaddset(&signals, SIGTERM);
	(void) sigaddset(&signals, SIGINT);
	(void) sigaddset(&signals, SIGHUP);
	(void) sigprocmask(SIG_BLOCK, &signals, NULL); /* cannot fail with valid arguments */
	(void) signal(SIGPIPE, SIG_IGN);
	(void) signal(SIGXFSZ, SIG_IGN); /* an error of write(2) */
}

static void manager_freep(struct manager **m)
{
	*m = manager_free(*m);
}

static int run(const struct command_line *c, struct config *config)
{
	_cleanup_(manager_freep) struct manager *m = NULL;
	int r;

	block_signals();
	r = descriptors_raise();
	if (r < 0)
		return r;
	r = capabilities_check();
	if (r < 0)
		return r;
	r = manager_new(&c->options, config, &m);
	if (r < 0)
		return r;
	r = manager_start(m);
	if (r < 0)
		return r;
	return manager_run(m);
}

/* Errors about what others have to put right: the bpffs, the pin directory, our capabilities, the limit of open files. */
static int exit_status(int r)
{
	switch (r) {
	case -ECANCELED: /* SIGTERM while it waited */
		return EXIT_SUCCESS;
	case -EMFILE:
	case -ENODEV:
	case -ENOTDIR:
	case -EPERM:
	case -EROFS:
		return EXIT_LASTING;
	default:
		if (r == MANAGER_AGAIN)
			return EXIT_AGAIN;
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
}

int main(int argc, char **argv)
{
	_cleanup_(config_done) struct config config = {};
	struct command_line c;
	int status;

	streams_hold(O_RDWR);
	log_setup(DAEMON_NAME, LOG_INFO);
	status = parse_arguments(argc, argv, &c);
	if (status >= 0)
		return status;

	log_setup(DAEMON_NAME, c.is_debug ? LOG_DEBUG : LOG_INFO);
	log_libbpf();
	if (manager_read_config(c.options.config_file, &config) < 0) /* nothing is touched before it is right */
		status = EXIT_LASTING;
	else
		status = c.is_check ? EXIT_SUCCESS : exit_status(run(&c, &config));
	if (status != EXIT_SUCCESS)
		log_flush(); /* why */
	return status;
}
