// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What a packet costs from a veth to a UDP socket, or to where it is dropped, with one filter or another in
 * its way. live.sh makes the namespaces and the filters, one pair of interfaces each, all alive at once;
 * here they take turns, on one CPU, with packets that all pass or are all dropped. A row counts only if as
 * many packets were delivered as should have been. Prints tables in Markdown.
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "addresses.h"
#include "cleanup.h"
#include "frame.h"
#include "live.h"
#include "live.skel.h"
#include "samples.h"

#define FILTERS_MAX 24
#define LISTS_MAX   (_LIVE_SOURCES_MAX - 1)
#define TCX_INGRESS 46 /* BPF_TCX_INGRESS, which the headers of kernels before 6.6 lack */
#define N_PACKETS   32768 /* of a sample: short ones, so that what disturbs hits few */
#define LIST_SEED   1  /* as live.sh gives to bench-addresses */

enum measure {
	PASS_COLD,
	PASS_HOT,
	DROP_COLD,
	DROP_HOT,
	_MEASURE_MAX,
};

/* A filter as live.sh names it, and what was found. */
struct filter_row {
	char name[64];
	char list[16]; /* "mixed", "plain"; "none" = filters nothing */
	size_t n_entries;
	int snmp_fd;  /* /proc/net/snmp of the receiving namespace */
	unsigned ifindex;
	unsigned sources; /* of the hits */
	struct samples samples[_MEASURE_MAX];
	struct samples added[_MEASURE_MAX]; /* over no filter in the same round */
};

struct list_row {
	char list[16];
	size_t n_entries;
};

static struct filter_row filters[FILTERS_MAX];
static struct list_row lists[LISTS_MAX];
static size_t n_filters, n_lists, n_rounds = 31;

static int enter(const char *netns)
{
	_cleanup_close_ int fd = open(netns, O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* A socket that nobody reads: what does not fit its buffer is dropped there, at the end of the way. */
static int open_sink(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(FRAME_DPORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return fd; /* until the program ends */
}

/* Without GRO a veth has no receive queue of its own, and takes no redirected frames. */
static int turn_on_gro(const char *device)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq request = { .ifr_data = (void *)&value };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void) snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	return fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

/* Attached until the program ends. */
static int attach_empty(struct live *skel, const char *device)
{
	int fd = bpf_link_create(bpf_program__fd(skel->progs.empty), if_nametoindex(device), TCX_INGRESS, NULL);

	return fd < 0 ? -errno : 0;
}

/* Opens what is to be read in the receiving namespace, and comes back. */
static int open_receiver(struct live *skel, struct filter_row *f, const char *netns)
{
	_cleanup_close_ int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	r = enter(netns);
	if (r < 0)
		return r;
	r = open_sink();
	if (r >= 0)
		r = turn_on_gro("r0");
	if (r >= 0 && strcmp(f->name, "tcx, empty program") == 0)
		r = attach_empty(skel, "r0");
	f->snmp_fd = open("/proc/thread-self/net/snmp", O_RDONLY | O_CLOEXEC);
	if (setns(home, CLONE_NEWNET) < 0 || f->snmp_fd < 0)
		return -errno;
	return r;
}

/* "Ip: ... InDelivers": the ninth number of the second line. */
static uint64_t n_delivered(const struct filter_row *f)
{
	char text[4096], *line, *state, *word;
	ssize_t n = pread(f->snmp_fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	line = strchr(text, '\n');
	word = line ? strtok_r(line + 1, " ", &state) : NULL;
	for (int i = 0; i < 9 && word; i++)
		word = strtok_r(NULL, " ", &state);
	return word ? strtoull(word, NULL, 10) : 0;
}

/* The array of hits for a list, which is drawn when first named. */
static int find_sources(struct live *skel, const char *list, size_t n_entries, unsigned *ret)
{
	struct prefixes p;
	size_t i;

	for (i = 0; i < n_lists; i++)
		if (strcmp(lists[i].list, list) == 0 && lists[i].n_entries == n_entries)
			break;
	*ret = i + 1;
	if (i < n_lists)
		return 0;
	if (i == LISTS_MAX)
		return -E2BIG;

	(void) snprintf(lists[i].list, sizeof(lists[i].list), "%s", list);
	lists[i].n_entries = n_entries;
	n_lists++;
	p = prefixes_new(AF_INET, n_entries, strcmp(list, "plain") == 0, LIST_SEED);
	prefixes_hits(&p, skel->bss->sources[i + 1], N_LIVE_SOURCES, LIST_SEED + 2);
	prefixes_done(&p);
	return 0;
}

/* "NAME|NETNS|DEVICE|LIST|N" */
static int add_filter(struct live *skel, char *text)
{
	struct filter_row *f = &filters[n_filters];
	char *words[5], *state = NULL;
	int r;

	for (size_t i = 0; i < ELEMENTSOF(words); i++) {
		words[i] = strtok_r(i ? NULL : text, "|", &state);
		if (!words[i] || n_filters == FILTERS_MAX)
			return -EINVAL;
	}
	(void) snprintf(f->name, sizeof(f->name), "%s", words[0]);
	(void) snprintf(f->list, sizeof(f->list), "%s", words[3]);
	f->n_entries = strtoul(words[4], NULL, 10);
	f->ifindex = if_nametoindex(words[2]);
	if (f->ifindex == 0)
		return -ENODEV;
	r = open_receiver(skel, f, words[1]);
	if (r >= 0 && strcmp(f->list, "none") != 0)
		r = find_sources(skel, f->list, f->n_entries, &f->sources);
	n_filters++;
	return r;
}

static int build_frame(struct live *skel, struct frame *ret)
{
	const struct frame_spec spec = { .family = AF_INET, .n_data = 18 };
	int r = frame_build(&spec, ret);

	if (r < 0)
		return r;
	memset(ret->bytes + ret->network + 10, 0, 2); /* checksum */
	memset(ret->bytes + ret->network + 12, 0, 4); /* source */
	memset(ret->bytes + ret->network + 26, 0, 2); /* UDP: no checksum */
	for (size_t i = 0; i < 20; i += 2) {
		uint16_t word;

		memcpy(&word, ret->bytes + ret->network + i, sizeof(word));
		skel->bss->run.checksum += word;
	}
	return 0;
}

static int send_packets(struct live *skel, const struct frame *frame, int n, double *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes, .data_size_in = frame->length, .repeat = n,
		    .batch_size = 64, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.generate), &opts) < 0)
		return -errno;
	*ret = opts.duration; /* the call itself takes some jiffies more, to begin and to end */
	return 0;
}

/* Nanoseconds a packet; -EBADMSG: other packets were delivered than should have been. */
static int measure(struct live *skel, struct filter_row *f, enum measure m, const struct frame *frame, double *ret)
{
	bool is_drop = m == DROP_COLD || m == DROP_HOT, is_hot = m == PASS_HOT || m == DROP_HOT;
	uint64_t before, delivered, want = is_drop ? 0 : N_PACKETS;
	int r;

	skel->bss->run.ifindex = f->ifindex;
	skel->bss->run.sources = is_drop ? f->sources : 0;
	skel->bss->run.mask = (is_hot ? N_LIVE_SOURCES_HOT : N_LIVE_SOURCES) - 1;
	if (is_hot) { /* so that the first time around is not part of it */
		r = send_packets(skel, frame, N_LIVE_SOURCES_HOT, ret);
		if (r < 0)
			return r;
	}
	before = n_delivered(f);
	r = send_packets(skel, frame, N_PACKETS, ret);
	if (r < 0)
		return r;
	delivered = n_delivered(f) - before;
	return delivered + N_PACKETS / 50 < want || delivered > want + N_PACKETS / 50 ? -EBADMSG : 0;
}

static int measure_round(struct live *skel, const struct frame *frame)
{
	double ns = 0, base;
	int r;

	for (enum measure m = 0; m < _MEASURE_MAX; m++) {
		base = 0;
		for (struct filter_row *f = filters; f < filters + n_filters; f++) {
			if (f->sources == 0 && (m == DROP_COLD || m == DROP_HOT))
				continue;
			r = measure(skel, f, m, frame, &ns);
			if (r == -EBADMSG) /* packets were lost on the way: a sample that tells nothing */
				continue;
			if (r < 0)
				return r;
			samples_add(&f->samples[m], ns);
			if (f == filters)
				base = ns;
			else if (base > 0)
				samples_add(&f->added[m], ns - base);
		}
	}
	return 0;
}

static const struct filter_row *find(const char *name, size_t n_entries)
{
	static const struct filter_row none;

	for (size_t i = 0; i < n_filters; i++)
		if (strcmp(filters[i].name, name) == 0 && filters[i].n_entries == n_entries)
			return &filters[i];
	return &none;
}

static double median_of(const char *name, size_t n_entries, enum measure m)
{
	return samples_median(&find(name, n_entries)->samples[m]);
}

/* What passing costs over no filter, cold. */
static double added_by(const char *name, size_t n_entries)
{
	return samples_median(&find(name, n_entries)->added[PASS_COLD]);
}

/* One goal: a number that must not be below (or above) another. Says nothing where a peer is missing. */
static void print_goal(const char *what, double value, bool at_least, double goal)
{
	if (value > 0)
		printf("| %s | %.2f | at %s %g, %s |\n", what, value, at_least ? "least" : "most", goal,
		       (at_least ? value >= goal : value <= goal) ? "met" : "missed");
}

static double ratio(double a, double b)
{
	return a > 0 && b > 0 ? a / b : 0;
}

#define FW       "ebpf-fw, tcx"
#define PLAIN    "nft netdev, plain set"
#define INTERVAL "nft netdev, interval set"

static void print_goals(void)
{
	double one = median_of(FW, 1, PASS_COLD);

	printf("\n| ratio | measured | goal |\n|---|---|---|\n");
	print_goal("pass with 1000000 entries / with 1, cold", ratio(median_of(FW, 1000000, PASS_COLD), one), false, 1.25);
	print_goal("the same, hot", ratio(median_of(FW, 1000000, PASS_HOT), median_of(FW, 1, PASS_HOT)), false, 1.08);
	print_goal("added by nft's plain set / added by ebpf-fw, 1000 entries",
		   ratio(added_by(PLAIN, 1000), added_by(FW, 1000)), true, 5);
	print_goal("added by nft's interval set / added by ebpf-fw, 1000000",
		   ratio(added_by(INTERVAL, 1000000), added_by(FW, 1000000)), true, 10);
	print_goal("drop: nft's plain set / ebpf-fw, 1000",
		   ratio(median_of(PLAIN, 1000, DROP_COLD), median_of(FW, 1000, DROP_COLD)), true, 1.1);
	print_goal("drop: nft's interval set / ebpf-fw, 1000000",
		   ratio(median_of(INTERVAL, 1000000, DROP_COLD), median_of(FW, 1000000, DROP_COLD)), true, 2);
}

static void print_cell(const struct filter_row *f, enum measure m)
{
	double ns = samples_median(&f->samples[m]);

	if (ns <= 0)
		printf(" - |");
	else if (f->added[m].n > 0)
		printf(" %.0f (%+.0f) |", ns, samples_median(&f->added[m]));
	else
		printf(" %.0f |", ns);
}

static void print(void)
{
	double drop;

	printf("ns a packet, generator and veth included, one CPU, in brackets what passing costs over no filter; cold =\n"
	       "%d random sources, hot = %d; medians of %zu interleaved rounds of %d packets of 60 bytes UDP.\n\n",
	       N_LIVE_SOURCES, N_LIVE_SOURCES_HOT, n_rounds, N_PACKETS);
	printf("| filter | entries | pass, cold | pass, hot | drop, cold | drop, hot | drop, Mpps |\n"
	       "|---|---|---|---|---|---|---|\n");
	for (struct filter_row *f = filters; f < filters + n_filters; f++) {
		drop = samples_median(&f->samples[DROP_COLD]);
		printf("| %s | %zu |", f->name, f->n_entries);
		for (enum measure m = 0; m < _MEASURE_MAX; m++)
			print_cell(f, m);
		if (drop > 0)
			printf(" %.2f |\n", 1000 / drop);
		else
			printf(" - |\n");
	}
	print_goals();
}

static void draw_misses(struct live *skel)
{
	struct prefixes p = prefixes_new(AF_INET, 1000000, false, LIST_SEED);

	prefixes_misses(&p, AF_INET, skel->bss->sources[0], N_LIVE_SOURCES, LIST_SEED + 1);
	prefixes_done(&p);
}

static void live_destroyp(struct live **skel)
{
	live__destroy(*skel);
}

int main(int argc, char **argv)
{
	_cleanup_(live_destroyp) struct live *skel = NULL;
	struct frame frame;
	cpu_set_t set;
	int r = 0, first = 1;

	if (argc > 1 && strcmp(argv[1], "--quick") == 0) {
		n_rounds = 5;
		first = 2;
	}
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	(void) sched_setaffinity(0, sizeof(set), &set); /* all of a packet's way is then on this CPU */
	(void) setpriority(PRIO_PROCESS, 0, -15);       /* what comes between is measured too */

	skel = live__open_and_load();
	if (!skel || build_frame(skel, &frame) < 0) {
		fprintf(stderr, "Cannot load the generator: %m\n");
		return EXIT_FAILURE;
	}
	draw_misses(skel);
	for (int i = first; i < argc; i++) {
		r = add_filter(skel, argv[i]);
		if (r < 0) {
			fprintf(stderr, "Cannot use the filter '%s': %s\n", argv[i], strerror(-r));
			return EXIT_FAILURE;
		}
	}

	for (size_t i = 0; i < n_rounds && r >= 0; i++)
		r = measure_round(skel, &frame);
	if (r < 0) {
		fprintf(stderr, "Cannot measure: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	print();
	return EXIT_SUCCESS;
}
