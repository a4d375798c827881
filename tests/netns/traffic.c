// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Makes and counts traffic for the namespace tests: what ping cannot send and shell cannot count. Each
 * verb is one small program. What runs in the background keeps its counts in FILE, a "KEY N" a line,
 * replaced whole each time traffic pauses, and ends at SIGTERM.
 */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "frame.h"
#include "tally.h"
#include "verbs.h"

#define PAUSE_MS    20 /* traffic that stops for so long pauses: counts are written down */
#define BATCH       32
#define BUFFER_SIZE (64 * 1024)

static volatile sig_atomic_t is_stopped;
static volatile sig_atomic_t is_asked; /* by SIGUSR1 */

static void stop(int sig)
{
	is_stopped = 1;
}

static void ask(int sig)
{
	is_asked = 1;
}

static int fail(const char *what)
{
	fprintf(stderr, "traffic: %s: %m\n", what);
	return EXIT_FAILURE;
}

/* Any address with a port; IPv4 is written as such also where the socket wants IPv6. */
static int parse_address(const char *text, const char *port, struct sockaddr_storage *ret, socklen_t *ret_length)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(atoi(port));
		*ret_length = sizeof(*in);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(atoi(port));
		*ret_length = sizeof(*in6);
		return 0;
	}
	errno = EINVAL;
	return -EINVAL;
}

/* A socket of this type, bound to src and connected to dst. */
static int open_connected(int type, int protocol, const char *src, const char *dst, const char *port)
{
	struct sockaddr_storage from, to;
	_cleanup_close_ int fd = -1;
	socklen_t n_from, n_to;

	if (parse_address(src, "0", &from, &n_from) < 0 || parse_address(dst, port, &to, &n_to) < 0)
		return -errno;
	fd = socket(from.ss_family, type | SOCK_CLOEXEC, protocol);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, n_from) < 0 ||
	    connect(fd, (struct sockaddr *)&to, n_to) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* For who wants to ask: the pid is in FILE.pid. */
static int write_pid(const char *file)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[4096];

	snprintf(path, sizeof(path), "%s.pid", file);
	f = fopen(path, "we");
	return f && fprintf(f, "%d\n", (int)getpid()) > 0 && fflush(f) == 0 ? 0 : -1;
}

/*
 * recv FILE PORT: counts UDP packets of both families by source. SIGUSR1 has it count what has arrived and write the file
 * at once, with one more for the key "asked".
 */
static int verb_recv(char **argv)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 }, none;
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(argv[1])) }, from;
	char buffer[BUFFER_SIZE], source[INET6_ADDRSTRLEN], *key;
	int size = 64 * 1024 * 1024, n_ready;
	_cleanup_close_ int fd = -1;
	struct tally tally = { 0 };
	sigset_t usr1, empty;
	bool is_written = false;

	sigemptyset(&empty);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1); /* comes while we wait, and at no other time */
	if (sigprocmask(SIG_BLOCK, &usr1, NULL) < 0 || signal(SIGUSR1, ask) == SIG_ERR || write_pid(argv[0]) < 0)
		return fail("recv");
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* root of a user namespace of his own has to do with less */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0)
		return fail("recv");

	while (!is_stopped) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		socklen_t length = sizeof(from);

		n_ready = ppoll(&poll_fd, 1, is_asked ? &none : is_written ? NULL : &pause, &empty);
		if (n_ready == 0) {
			if (is_asked)
				tally_add(&tally, "asked");
			is_asked = 0;
			if (tally_write(&tally, argv[0]) < 0)
				return fail(argv[0]);
			is_written = true;
		}
		if (n_ready <= 0 || recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &length) < 0)
			continue;

		inet_ntop(AF_INET6, &from.sin6_addr, source, sizeof(source));
		key = strncmp(source, "::ffff:", 7) == 0 ? source + 7 : source;
		tally_add(&tally, key);
		is_written = false;
	}
	return tally_write(&tally, argv[0]) < 0 ? fail(argv[0]) : EXIT_SUCCESS;
}

static double now_seconds(void)
{
	struct timespec t;

	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* flood SRC DST PORT RATE COUNT: UDP packets a second, COUNT 0 = until SIGTERM; prints how many. */
static int verb_flood(char **argv)
{
	unsigned long rate = atol(argv[3]), count = atol(argv[4]), n_sent = 0, n_due;
	struct iovec data = { .iov_base = (char[]){ "flood" }, .iov_len = 5 };
	double start = now_seconds();
	_cleanup_close_ int fd = -1;
	struct mmsghdr batch[BATCH];
	int r;

	for (size_t i = 0; i < BATCH; i++)
		batch[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &data, .msg_iovlen = 1 } };

	fd = open_connected(SOCK_DGRAM, 0, argv[0], argv[1], argv[2]);
	if (fd < 0)
		return fail("flood");

	while (!is_stopped && (count == 0 || n_sent < count)) {
		n_due = (now_seconds() - start) * rate - n_sent;
		if (count && n_due > count - n_sent)
			n_due = count - n_sent;
		if (n_due < 1) {
			(void) usleep(1000);
			continue;
		}
		r = sendmmsg(fd, batch, n_due < BATCH ? n_due : BATCH, 0);
		if (r < 0 && errno != ECONNREFUSED && errno != ENOBUFS) /* a closed port, a full queue */
			return fail("flood");
		n_sent += r < 0 ? 0 : r;
	}
	printf("%lu\n", n_sent);
	return EXIT_SUCCESS;
}

static int build_frame(const char *name, const char *src, const char *dst, const char *port, struct frame *ret)
{
	const struct frame_row *row = frame_find(name);
	struct frame_spec spec;

	if (!row) {
		errno = ENOENT;
		return -ENOENT;
	}
	spec = row->spec;
	spec.src = src;
	spec.dst = dst;
	spec.dport = atoi(port);
	errno = EINVAL;
	return frame_build(&spec, ret);
}

/* frame DEV NAME SRC DST PORT COUNT: frames of the catalogue, from the device as they are. */
static int verb_frame(char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = ETH_ALEN };
	_cleanup_close_ int fd = -1;
	struct frame frame;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	to.sll_ifindex = if_nametoindex(argv[0]);
	if (fd < 0 || to.sll_ifindex == 0 || build_frame(argv[1], argv[2], argv[3], argv[4], &frame) < 0)
		return fail(argv[1]);

	memcpy(to.sll_addr, frame.bytes, ETH_ALEN);
	for (int i = 0; i < atoi(argv[5]); i++)
		if (sendto(fd, frame.bytes, frame.length, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			return fail(argv[1]);
	return EXIT_SUCCESS;
}

/*
 * raw NAME SRC DST PORT COUNT: the packets of such frames, from a raw socket, which routes them by DST. What a firewall at
 * the socket refuses is sent all the same, as far as the caller knows.
 */
static int verb_raw(char **argv)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_storage to;
	struct frame frame;
	socklen_t n_to;

	if (parse_address(argv[2], "0", &to, &n_to) < 0 || build_frame(argv[0], argv[1], argv[2], argv[3], &frame) < 0)
		return fail(argv[0]);
	fd = socket(to.ss_family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return fail("raw");
	for (int i = 0; i < atoi(argv[4]); i++)
		if (sendto(fd, frame.bytes + frame.network, frame.length - frame.network, 0, (struct sockaddr *)&to, n_to) < 0 &&
		    errno != EPERM)
			return fail(argv[0]);
	return EXIT_SUCCESS;
}

/* return bpf_redirect(ifindex, 0), to be run with frames that are then sent. */
static int load_redirect(unsigned ifindex)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = (int)ifindex },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "blast", "GPL", insns, ELEMENTSOF(insns), NULL);
}

/* blast DEV NAME SRC DST COUNT: as frame, from inside the kernel, by the million a second; prints the rate. */
static int verb_blast(char **argv)
{
	_cleanup_close_ int fd = -1;
	struct frame frame;
	double start;

	if (build_frame(argv[1], argv[2], argv[3], "0", &frame) < 0)
		return fail(argv[1]);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes, .data_size_in = frame.length,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64, .repeat = atoi(argv[4]));
	fd = load_redirect(if_nametoindex(argv[0]));
	start = now_seconds();
	if (fd < 0 || bpf_prog_test_run_opts(fd, &opts) < 0)
		return fail("blast");
	printf("%.2f million a second\n", opts.repeat / (now_seconds() - start) / 1e6);
	return EXIT_SUCCESS;
}

/* gro DEV: turns it on. Without it a veth with no XDP program of its own takes no blast. */
static int verb_gro(char **argv)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq request = { .ifr_data = (void *)&value };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void) snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", argv[0]);
	return fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0 ? fail(argv[0]) : EXIT_SUCCESS;
}

/* queues DEV NUMBER: that it sends by. A veth takes no XDP program natively while its peer has more than it has itself. */
static int verb_queues(char **argv)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq request = { .ifr_data = (void *)&channels };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void) snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", argv[0]);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0)
		return fail(argv[0]);
	channels.cmd = ETHTOOL_SCHANNELS;
	channels.tx_count = (uint32_t)atoi(argv[1]);
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? fail(argv[0]) : EXIT_SUCCESS;
}

/* One "NAME SRC DST COUNT" line of tun's standard input: as many packets into the device, after packet information. */
static int tun_inject(int fd, char *line, bool has_information)
{
	char name[64], src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	struct tun_pi information = {};
	struct iovec parts[2];
	struct frame frame;
	int count;

	if (sscanf(line, "%63s %45s %45s %d", name, src, dst, &count) != 4) {
		errno = EINVAL;
		return -EINVAL;
	}
	if (build_frame(name, src, dst, "0", &frame) < 0)
		return -errno;
	memcpy(&information.proto, frame.bytes + frame.network - sizeof(information.proto), sizeof(information.proto));
	parts[0] = (struct iovec){ &information, sizeof(information) };
	parts[1] = (struct iovec){ frame.bytes + frame.network, frame.length - frame.network };
	for (int i = 0; i < count; i++)
		if (writev(fd, has_information ? parts : parts + 1, has_information ? 2 : 1) < 0)
			return -errno;
	return 0;
}

/* Destination of an IP packet as text. */
static void packet_destination(const uint8_t *packet, char *ret, size_t size)
{
	if (packet[0] >> 4 == 4)
		inet_ntop(AF_INET, packet + 16, ret, size);
	else
		inet_ntop(AF_INET6, packet + 24, ret, size);
}

/* link_type: which one the owner gives it, 0 = as it is. */
static int run_tun(char **argv, bool has_information, int link_type)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | (has_information ? 0 : IFF_NO_PI) };
	char line[256], destination[INET6_ADDRSTRLEN];
	uint8_t buffer[BUFFER_SIZE];
	_cleanup_close_ int fd = -1;
	struct tally tally = { 0 };
	bool is_written = false;
	int n_ready;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", argv[0]);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 || (link_type && ioctl(fd, TUNSETLINK, link_type) < 0))
		return fail("tun");
	setvbuf(stdin, NULL, _IONBF, 0); /* else poll() does not see lines already read */

	while (!is_stopped) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

		n_ready = poll(fds, ELEMENTSOF(fds), is_written ? -1 : PAUSE_MS);
		if (n_ready == 0) {
			if (tally_write(&tally, argv[1]) < 0)
				return fail(argv[1]);
			is_written = true;
		}
		if (n_ready <= 0)
			continue;

		if (fds[0].revents & POLLIN && read(fd, buffer, sizeof(buffer)) > 0) {
			packet_destination(buffer + (has_information ? sizeof(struct tun_pi) : 0), destination, sizeof(destination));
			tally_add(&tally, destination);
			is_written = false;
		}
		if (fds[1].revents) {
			if (!fgets(line, sizeof(line), stdin))
				break;
			if (tun_inject(fd, line, has_information) < 0)
				return fail(line);
		}
	}
	return EXIT_SUCCESS;
}

/* tun DEV FILE: makes a tun device, sends in what lines of its input say, counts what comes out by destination. */
static int verb_tun(char **argv)
{
	return run_tun(argv, false, 0);
}

/* tun-pi DEV FILE: the same, with packet information before each packet. */
static int verb_tun_pi(char **argv)
{
	return run_tun(argv, true, 0);
}

/* tun-ether DEV FILE: the same as tun, and its owner says that it is an Ethernet device. */
static int verb_tun_ether(char **argv)
{
	return run_tun(argv, false, ARPHRD_ETHER);
}

/* sink PORT: takes TCP connections one by one and reads each to its end. */
static int verb_sink(char **argv)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(argv[0])) };
	static char buffer[BUFFER_SIZE];
	_cleanup_close_ int fd = -1;
	int one = 1;

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 || listen(fd, 16) < 0)
		return fail("sink");

	while (!is_stopped) {
		_cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		while (peer >= 0 && read(peer, buffer, sizeof(buffer)) > 0)
			;
	}
	return EXIT_SUCCESS;
}

/* pour SRC DST PORT BYTES: so much over one TCP connection, to the last acknowledgement. */
static int verb_pour(char **argv)
{
	long long left = atoll(argv[3]);
	static char buffer[BUFFER_SIZE];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	fd = open_connected(SOCK_STREAM, 0, argv[0], argv[1], argv[2]);
	if (fd < 0)
		return fail("pour");
	for (; left > 0; left -= n) {
		n = send(fd, buffer, left < BUFFER_SIZE ? left : BUFFER_SIZE, MSG_NOSIGNAL);
		if (n < 0)
			return fail("pour");
	}
	if (shutdown(fd, SHUT_WR) < 0 || read(fd, buffer, 1) != 0)
		return fail("pour");
	return EXIT_SUCCESS;
}

/* Waits for a TCP connection, two seconds at most. */
static int try_tcp(const char *src, const char *dst, const char *port)
{
	struct timeval limit = { .tv_sec = 2 };
	struct sockaddr_storage from, to;
	_cleanup_close_ int fd = -1;
	socklen_t n_from, n_to;

	if (parse_address(src, "0", &from, &n_from) < 0 || parse_address(dst, port, &to, &n_to) < 0)
		return -errno;
	fd = socket(from.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, n_from) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return connect(fd, (struct sockaddr *)&to, n_to) < 0 ? -errno : 0;
}

static int try_datagram(int type, int protocol, bool wants_errors, const char *src, const char *dst,
			const char *port)
{
	struct icmphdr echo = { .type = ICMP_ECHO };
	_cleanup_close_ int fd = -1;
	int one = 1;

	echo.checksum = htons(0xf7ff); /* of a header that is zero but for the type */
	fd = open_connected(type, protocol, src, dst, port);
	if (fd < 0)
		return fd;
	if (wants_errors && setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one)) < 0)
		return -errno;
	return send(fd, &echo, sizeof(echo), 0) < 0 ? -errno : 0;
}

/* try udp|udp-errors|icmp|tcp SRC DST PORT: prints what the application sees: "ok" or the error's name. */
static int verb_try(char **argv)
{
	int r = -EINVAL;

	if (strcmp(argv[0], "udp") == 0)
		r = try_datagram(SOCK_DGRAM, 0, false, argv[1], argv[2], argv[3]);
	else if (strcmp(argv[0], "udp-errors") == 0)
		r = try_datagram(SOCK_DGRAM, 0, true, argv[1], argv[2], argv[3]);
	else if (strcmp(argv[0], "icmp") == 0)
		r = try_datagram(SOCK_RAW, IPPROTO_ICMP, false, argv[1], argv[2], "0");
	else if (strcmp(argv[0], "tcp") == 0)
		r = try_tcp(argv[1], argv[2], argv[3]);

	puts(r == 0 ? "ok" : strerrorname_np(-r));
	return EXIT_SUCCESS;
}

/* notify SOCKET FILE: appends what sd_notify(3) says to it. */
static int verb_notify(char **argv)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_close_ int fd = -1;
	char buffer[4096];
	ssize_t n;

	snprintf(here.sun_path, sizeof(here.sun_path), "%s", argv[0]);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	f = fopen(argv[1], "ae");
	if (!f || fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0)
		return fail("notify");

	while (!is_stopped) {
		n = recv(fd, buffer, sizeof(buffer), 0);
		if (n < 0)
			continue;
		fprintf(f, "%.*s\n", (int)n, buffer);
		(void) fflush(f);
	}
	return EXIT_SUCCESS;
}

static const struct verb verbs[] = {
	{ "recv",   "FILE PORT",                                  2, verb_recv   },
	{ "flood",  "SRC DST PORT RATE COUNT",                    5, verb_flood  },
	{ "frame",  "DEV NAME SRC DST PORT COUNT",                6, verb_frame  },
	{ "blast",  "DEV NAME SRC DST COUNT",                     5, verb_blast  },
	{ "gro",    "DEV",                                        1, verb_gro    },
	{ "raw",    "NAME SRC DST PORT COUNT",                    5, verb_raw    },
	{ "queues", "DEV NUMBER",                                 2, verb_queues },
	{ "tun",    "DEV FILE",                                   2, verb_tun    },
	{ "tun-pi", "DEV FILE",                                   2, verb_tun_pi },
	{ "tun-ether", "DEV FILE",                                2, verb_tun_ether },
	{ "sink",   "PORT",                                       1, verb_sink   },
	{ "pour",   "SRC DST PORT BYTES",                         4, verb_pour   },
	{ "try",    "udp|udp-errors|icmp|tcp SRC DST PORT",       4, verb_try    },
	{ "notify", "SOCKET FILE",                                2, verb_notify },
	{}
};

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop }; /* without SA_RESTART: interrupts what waits */
	const struct verb *v = verb_find(verbs, "traffic", argc, argv);

	(void) sigaction(SIGTERM, &action, NULL);
	return v ? v->run(argv + 2) : 2;
}
