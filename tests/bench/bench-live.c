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
#include "base/cleanup.h"
#include "frame.h"
#include "live.h"
#include "live.skel.h"
#include "peers.h"
#include "samples.h"

#define FILTERS_MAX 40
#define N_PACKETS   32768 /* of a sample: short ones, so that what disturbs hits few */
#define N_WARM      131072 /* before a cold one: at least twice as many as a filter of a million entries has cache lines */
#define LIST_SEED   1  /* as live.sh gives to bench-addresses */
#define ARTICLE     "article's program, "
#define ARTICLE_ENTRIES 1000
#define ARTICLE_ROUNDS  3 /* it takes part in one round of so many: it needs 10 us a packet */

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
	char list[16]; /* "mixed", "plain"; "none" = filters nothing; with a 6 behind it for IPv6 */
	bool is_ip6;
	size_t n_entries;
	int snmp_fd;  /* /proc/net/snmp or snmp6 of the receiving namespace */
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
static struct list_row lists[2][_LIVE_SOURCES_MAX]; /* IPv4, IPv6; by number of the array, so the first is unused */
static struct frame frames[2];
static __u32 checksums[2];
static size_t n_filters, n_rounds = 15;

static int enter(const char *netns)
{
	_cleanup_close_ int fd = open(netns, O_RDONLY | O_CLOEXEC);

	return fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* A socket that nobody reads: what does not fit its buffer is dropped there, at the end of the way. */
static int open_sink(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(FRAME_DPORT) }; /* and IPv4 */
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 1;

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
	if (r >= 0)
		r = peer_attach(skel, f->name, "r0");
	f->snmp_fd = open(f->is_ip6 ? "/proc/thread-self/net/snmp6" : "/proc/thread-self/net/snmp", O_RDONLY | O_CLOEXEC);
	if (setns(home, CLONE_NEWNET) < 0 || f->snmp_fd < 0)
		return -errno;
	return r;
}

/* "Ip: ... InDelivers": the ninth number of the second line; IPv6 has a line for it. */
static uint64_t n_delivered(const struct filter_row *f)
{
	char text[8192], *line, *state, *word;
	ssize_t n = pread(f->snmp_fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	if (f->is_ip6) {
		word = strstr(text, "Ip6InDelivers");
		return word ? strtoull(word + strlen("Ip6InDelivers"), NULL, 10) : 0;
	}
	line = strchr(text, '\n');
	word = line ? strtok_r(line + 1, " ", &state) : NULL;
	for (int i = 0; i < 9 && word; i++)
		word = strtok_r(NULL, " ", &state);
	return word ? strtoull(word, NULL, 10) : 0;
}

/* The array of hits for a list, which is drawn when first named. */
static int find_sources(struct live *skel, const struct filter_row *f, unsigned *ret)
{
	unsigned i, end = f->is_ip6 ? _LIVE_SOURCES6_MAX : _LIVE_SOURCES_MAX;
	struct list_row *of_family = lists[f->is_ip6];
	struct prefixes p;
	bool is_plain;

	for (i = 1; i < end && of_family[i].n_entries > 0; i++)
		if (strcmp(of_family[i].list, f->list) == 0 && of_family[i].n_entries == f->n_entries)
			break;
	if (i == end)
		return -E2BIG;
	*ret = i;
	if (of_family[i].n_entries > 0)
		return 0;

	memcpy(of_family[i].list, f->list, sizeof(of_family[i].list));
	of_family[i].n_entries = f->n_entries;
	is_plain = strncmp(f->list, "plain", 5) == 0;
	p = prefixes_new(f->is_ip6 ? AF_INET6 : AF_INET, f->n_entries, !is_plain ? 0 : f->is_ip6 ? 128 : 32, LIST_SEED);
	prefixes_hits(&p, f->is_ip6 ? (void *)skel->bss->sources6[i] : skel->bss->sources[i], N_LIVE_SOURCES,
		      LIST_SEED + 2);
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
	f->is_ip6 = strchr(f->list, '6') != NULL;
	f->n_entries = strtoul(words[4], NULL, 10);
	f->ifindex = if_nametoindex(words[2]);
	if (f->ifindex == 0)
		return -ENODEV;
	r = open_receiver(skel, f, words[1]);
	if (r >= 0 && strncmp(f->list, "none", 4) != 0)
		r = find_sources(skel, f, &f->sources);
	n_filters++;
	return r;
}

/* Sums 16-bit words as they lie in memory, for an Internet checksum. */
static __u32 sum_words(const uint8_t *bytes, size_t n)
{
	uint16_t word;
	__u32 sum = 0;

	for (size_t i = 0; i < n; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static int build_frames(void)
{
	const struct frame_spec spec4 = { .family = AF_INET, .n_data = 18 }, spec6 = { .family = AF_INET6, .n_data = 18 };
	uint8_t *ip;

	if (frame_build(&spec4, &frames[0]) < 0 || frame_build(&spec6, &frames[1]) < 0)
		return -EINVAL;

	ip = frames[0].bytes + frames[0].network;
	memset(ip + 10, 0, 2); /* checksum */
	memset(ip + 12, 0, 4); /* source */
	memset(ip + 26, 0, 2); /* UDP: no checksum */
	checksums[0] = sum_words(ip, 20);

	ip = frames[1].bytes + frames[1].network;
	memset(ip + 8, 0, 16); /* source */
	memset(ip + 46, 0, 2); /* UDP checksum, which IPv6 wants: over addresses, protocol, length, and all of UDP */
	checksums[1] = sum_words(ip + 24, 16) + sum_words(ip + 4, 2) + htons(IPPROTO_UDP) + sum_words(ip + 40, 8 + 18);
	return 0;
}

static int send_packets(struct live *skel, bool is_ip6, int n, double *ret)
{
	const struct bpf_program *program = is_ip6 ? skel->progs.generate6 : skel->progs.generate;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frames[is_ip6].bytes, .data_size_in = frames[is_ip6].length,
		    .repeat = n, .batch_size = 64, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts) < 0)
		return -errno;
	*ret = opts.duration; /* the call itself takes some jiffies more, to begin and to end */
	return 0;
}

static bool is_article(const struct filter_row *f)
{
	return strncmp(f->name, ARTICLE, strlen(ARTICLE)) == 0;
}

/* Nanoseconds a packet; -EBADMSG: other packets were delivered than should have been. */
static int measure(struct live *skel, struct filter_row *f, enum measure m, double *ret)
{
	bool is_drop = m == DROP_COLD || m == DROP_HOT, is_hot = m == PASS_HOT || m == DROP_HOT;
	uint64_t before, delivered, n_events, want = is_drop ? 0 : N_PACKETS;
	int r;

	skel->bss->run.ifindex = f->ifindex;
	skel->bss->run.checksum = checksums[f->is_ip6];
	skel->bss->run.sources = is_drop ? f->sources : 0;
	skel->bss->run.mask = (is_hot ? N_LIVE_SOURCES_HOT : N_LIVE_SOURCES) - 1;
	/* as in traffic that goes on: the filters measured before have thrown this one out of the caches */
	r = send_packets(skel, f->is_ip6, is_hot ? N_LIVE_SOURCES_HOT : is_article(f) ? N_PACKETS : N_WARM, ret);
	if (r < 0)
		return r;
	before = n_delivered(f);
	n_events = peer_n_events();
	r = send_packets(skel, f->is_ip6, N_PACKETS, ret);
	if (r < 0)
		return r;
	delivered = n_delivered(f) - before;
	if (is_drop && is_article(f) && peer_n_events() - n_events < N_PACKETS / 2)
		return -EBADMSG; /* its reader did not follow: what events cost is not in it */
	return delivered + N_PACKETS / 50 < want || delivered > want + N_PACKETS / 50 ? -EBADMSG : 0;
}

static int measure_round(struct live *skel, size_t round)
{
	double ns = 0, base[2];
	int r;

	for (enum measure m = 0; m < _MEASURE_MAX; m++) {
		base[0] = base[1] = 0;
		for (struct filter_row *f = filters; f < filters + n_filters; f++) {
			if (f->sources == 0 && (m == DROP_COLD || m == DROP_HOT))
				continue;
			if (is_article(f) && round % ARTICLE_ROUNDS > 0)
				continue;
			r = measure(skel, f, m, &ns);
			if (r == -EBADMSG) /* packets were lost on the way: a sample that tells nothing */
				continue;
			if (r < 0)
				return r;
			samples_add(&f->samples[m], ns);
			if (strncmp(f->name, "no filter", 9) == 0)
				base[f->is_ip6] = ns;
			else if (base[f->is_ip6] > 0)
				samples_add(&f->added[m], ns - base[f->is_ip6]);
		}
	}
	return 0;
}

static const struct samples *samples_of(const char *name, size_t n_entries, enum measure m, bool is_added)
{
	static const struct samples none;

	for (size_t i = 0; i < n_filters; i++)
		if (strcmp(filters[i].name, name) == 0 && filters[i].n_entries == n_entries)
			return is_added ? &filters[i].added[m] : &filters[i].samples[m];
	return &none;
}

#define TCX      "ebpf-fw, tcx"
#define TCX6     "ebpf-fw, tcx, IPv6"
#define XDP      "ebpf-fw, xdp"
#define PLAIN    "nft netdev, plain set"
#define INTERVAL "nft netdev, interval set"
#define LIMIT    "xdp-filter"

/* Goals: what one filter takes, or adds to no filter, over what another does. */
static const struct goal {
	const char *over;
	size_t n_over;
	const char *under;
	size_t n_under;
	enum measure measure;
	bool is_added;
	bool at_least;
	double goal;
} goals[] = {
	{ TCX,          1000000, TCX,  1,       PASS_COLD, false, false, 1.25 },
	{ TCX,          1000000, TCX,  1,       PASS_HOT,  false, false, 1.08 },
	{ TCX6,         1000000, TCX6, 1000,    PASS_COLD, false, false, 1.25 },
	{ PLAIN,        1000,    TCX,  1000,    PASS_COLD, true,  true,  5 },
	{ INTERVAL,     1000000, TCX,  1000000, PASS_COLD, true,  true,  10 },
	{ PLAIN,        1000,    XDP,  1000,    PASS_COLD, true,  true,  8 },
	{ PLAIN,        1000,    TCX,  1000,    DROP_COLD, false, true,  1.1 },
	{ INTERVAL,     1000000, TCX,  1000000, DROP_COLD, false, true,  2 },
	{ PLAIN,        1000,    XDP,  1000,    DROP_COLD, false, true,  2.5 },
	{ PLAIN,        1000000, XDP,  1000000, DROP_COLD, false, true,  1 },
	{ INTERVAL,     1000,    XDP,  1000,    DROP_COLD, false, true,  4 },
	{ INTERVAL,     1000000, XDP,  1000000, DROP_COLD, false, true,  2.5 },
	{ LIMIT,        10000,   XDP ", addresses only", 10000, DROP_COLD, false, true, 1 },
	{ ARTICLE "tcx", 1000,   TCX,  1000,    DROP_COLD, false, true,  15 },
	{ ARTICLE "xdp", 1000,   XDP,  1000,    DROP_COLD, false, true,  35 },
};

/* What a program that does nothing else than to pass or to drop reaches at the same hook: nobody can do better. */
static double limit_of(const struct goal *g, double over)
{
	bool is_xdp = strncmp(g->under, XDP, strlen(XDP)) == 0;
	double limit = 0;

	if (g->is_added)
		limit = samples_median(samples_of(is_xdp ? "xdp, empty program" : "tcx, empty program", 0, g->measure, true));
	else if (g->measure == DROP_COLD)
		limit = samples_median(samples_of(is_xdp ? "xdp, drops all" : "tcx, drops all", 1, g->measure, false));
	return limit > 0 ? over / limit : 0;
}

/* One goal; says so where a peer is missing. */
static void print_goal(const struct goal *g)
{
	static const char *const measures[] = { "pass, cold", "pass, hot", "drop, cold", "drop, hot" };
	double over = samples_median(samples_of(g->over, g->n_over, g->measure, g->is_added));
	double under = samples_median(samples_of(g->under, g->n_under, g->measure, g->is_added)), ratio = over / under;

	printf("| %s%s | %s, %zu | %s, %zu | ", measures[g->measure], g->is_added ? ", added" : "", g->over, g->n_over,
	       g->under, g->n_under);
	if (over <= 0 || under <= 0)
		printf("not measured | at %s %g |", g->at_least ? "least" : "most", g->goal);
	else
		printf("%.2f | at %s %g, %s |", ratio, g->at_least ? "least" : "most", g->goal,
		       (g->at_least ? ratio >= g->goal : ratio <= g->goal) ? "met" : "missed");
	if (over > 0 && under > 0 && limit_of(g, over) > 0)
		printf(" %.2f |\n", limit_of(g, over));
	else
		printf(" - |\n");
}

static void print_cell(const struct filter_row *f, enum measure m)
{
	double ns = samples_median(&f->samples[m]);

	if (ns <= 0)
		printf(" - |");
	else if (f->added[m].n > 0 && (m == PASS_COLD || m == PASS_HOT))
		printf(" %.0f (%+.0f) |", ns, samples_median(&f->added[m]));
	else
		printf(" %.0f |", ns);
}

static void print(void)
{
	double drop;

	printf("ns a packet, generator and veth included, one CPU, in brackets what passing costs over no filter; cold =\n"
	       "%d random sources, hot = %d; medians of %zu interleaved rounds of %d packets of 60 bytes (IPv6: 80)\n"
	       "of UDP, each after %d others. The article's program has its reader of events on the other CPU.\n\n",
	       N_LIVE_SOURCES, N_LIVE_SOURCES_HOT, n_rounds, N_PACKETS, N_WARM);
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
	printf("\nThe last column is the ratio that a program reaches which does nothing but to pass or to drop: the most that there\n"
	       "is to be had at that hook.\n\n"
	       "| what | of | over that of | ratio | goal | at best |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < ELEMENTSOF(goals); i++)
		print_goal(&goals[i]);
}

static void draw_misses(struct live *skel)
{
	for (int is_ip6 = 0; is_ip6 < 2; is_ip6++) {
		int family = is_ip6 ? AF_INET6 : AF_INET;
		struct prefixes p = prefixes_new(family, 1000000, 0, LIST_SEED);

		prefixes_misses(&p, family, is_ip6 ? (void *)skel->bss->sources6[0] : skel->bss->sources[0], N_LIVE_SOURCES,
				LIST_SEED + 1);
		prefixes_done(&p);
	}
}

static void live_destroyp(struct live **skel)
{
	live__destroy(*skel);
}

int main(int argc, char **argv)
{
	_cleanup_(live_destroyp) struct live *skel = NULL;
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
	if (!skel || build_frames() < 0 || peer_start_article(skel, ARTICLE_ENTRIES, LIST_SEED) < 0) {
		fprintf(stderr, "Cannot load the generator or the article's program: %m\n");
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
		r = measure_round(skel, i);
	if (r < 0) {
		fprintf(stderr, "Cannot measure: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	print();
	return EXIT_SUCCESS;
}
