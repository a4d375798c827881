/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the BPF programs, the daemon and fwctl agree on: words, limits, and the layout of every map key and value. Included
 * by all three, so it depends on <linux/types.h> alone. A change of a layout raises FW_ABI_VERSION. The daemon does not
 * guess at pins of another version: it copies what they contain into maps of its own, by the names of members
 * (daemon/load/schema.c). So a member that is copied keeps its name and meaning. Enums only grow at their end, and so do the
 * arrays that they index. FW_TABLE_SLOTS, FW_TICK_SHIFT and FW_HITS_PENDING never change. An entry table remains an array
 * with fw_table in its first element and elements as large as fw_slot. Another version reads each slot from first_slot on,
 * and takes it if is_used is set; it does not need to know how chains are linked.
 */

#include <linux/types.h>

/*
 * FW_TEST_LAYOUT makes the version that comes after this one for tests of upgrades: every struct that an
 * upgrade carries over, or that says whose pins these are, is laid out in another way.
 */
#ifdef FW_TEST_LAYOUT
#define FW_ABI_VERSION 5
#define FW_TEST_MEMBER __u64 test_member;
#else
#define FW_ABI_VERSION 4
#define FW_TEST_MEMBER
#endif

/* Limits. Array sizes in the kernel and refusals in the tool both come from here. */
#define FW_LISTS_MAX         64  /* one bit each in a mask */
#define FW_LIST_NAME_MAX     64  /* bytes, with the final NUL */
#define FW_PORT_ENTRIES_MAX  256 /* port entries at one time, over both protocols */
#define FW_PORT_SEGMENTS_MAX 1024 /* at least 2 * FW_PORT_ENTRIES_MAX + 1, and a power of two */
#define FW_PORT_OVERLAP_MAX  32  /* port entries that may cover one port */
#define FW_PORT_BANS_MAX     192 /* of FW_PORT_ENTRIES_MAX: those in lists that block; the rest is for exceptions */
#define FW_PORT_OVERLAP_BANS_MAX 24 /* of FW_PORT_OVERLAP_MAX, the same */
#define FW_EXCEPTIONS_MAX    65536 /* entries of lists that allow, beyond MaxEntries= */
#define FW_TABLE_SLOTS       2   /* a table in use and one being filled to replace it */
#define FW_VLAN_TAGS_MAX     4   /* tags walked in the frame, in addition to the one in the skb */
#define FW_IP6_HEADERS_MAX   16  /* extension headers walked before the L4 header */
#define FW_WATCHERS_MAX      16  /* watchers at one time, the daemon included */
#define FW_SIZES_MAX         20  /* powers of two of a packet's length: up to 1 MiB, what is larger is in the last */
#define FW_GAPS_MAX          40  /* the same of ns between two packets: up to 18 min */

/* Two lists that always exist, by the number of their bit. */
#define FW_LIST_MANUAL_ID 0
#define FW_LIST_ALLOW_ID  1
#define FW_LIST_MANUAL    "manual"
#define FW_LIST_ALLOW     "allow"

/*
 * Time in the kernel is counted in ticks of 2^28 ns (0.27 s) since boot, suspend included, so that
 * a point in time fits 32 bits for 36 years of uptime and costs a shift to make.
 */
#define FW_TICK_SHIFT 28

/* Cells of a filter: two bits for each /16, see filter-bits.h. */
#define FW_CELL_SHORT 1
#define FW_CELL_LONG  2
#define FW_CELLS_PER_WORD 32

enum fw_hook {
	FW_HOOK_XDP,
	FW_HOOK_TC,
	FW_HOOK_CGROUP,
	_FW_HOOK_MAX,
};

enum fw_direction {
	FW_INGRESS, /* the source address counts */
	FW_EGRESS,  /* the destination address counts */
	_FW_DIRECTION_MAX,
};

/* The directions of one entry in one list, as bits. */
enum {
	FW_IN = 1 << FW_INGRESS,
	FW_OUT = 1 << FW_EGRESS,
	FW_BOTH = FW_IN | FW_OUT,
};

enum fw_verdict {
	FW_PASS,
	FW_DROP,
	_FW_VERDICT_MAX,
};

/* Why a packet got its verdict: one enum for counters, events and output. Those that pass it come first. */
enum fw_reason {
	FW_REASON_NO_MATCH,  /* pass: IP, and no live entry covers it; not counted, it is the rest */
	FW_REASON_NOT_IP,    /* pass: ARP and other ethertypes are never judged */
	FW_REASON_ALLOWED,   /* pass: an entry of an allow list covers it */
	FW_REASON_AUDITED,   /* pass: only lists in mode audit cover it */
	FW_REASON_UNPARSED,  /* pass: no address could be read */
	FW_REASON_ADDRESS,   /* drop: a block list covers the address */
	FW_REASON_PORT,      /* drop: a block list covers the destination port */
	FW_REASON_MALFORMED, /* drop: broken IP header while Strict=yes */
	FW_REASON_HIDDEN_PORT, /* drop: its port cannot be read, and a block list has ports for this direction */
	_FW_REASON_MAX,
};

#define fw_reason_verdict(reason) ((reason) < FW_REASON_ADDRESS ? FW_PASS : FW_DROP)

enum fw_action {
	FW_ACTION_BLOCK,
	FW_ACTION_ALLOW,
	_FW_ACTION_MAX,
};

enum fw_mode {
	FW_MODE_ENFORCE,
	FW_MODE_AUDIT, /* count what would be dropped, and pass it */
	_FW_MODE_MAX,
};

enum fw_protocol {
	FW_TCP,
	FW_UDP,
	_FW_PROTOCOL_MAX,
};

/* Where a program keeps a protocol: there should be a port, and it cannot be read. */
#define FW_PROTOCOL_HIDDEN _FW_PROTOCOL_MAX

/* Special values of fw_entry.until. */
#define FW_UNTIL_NEVER 0          /* holds until it is removed */
#define FW_UNTIL_MIXED 1          /* its lists have different ends: see fw_ends */
#define FW_UNTIL_MAX   0xffffffff /* the latest end that can be written */

/*
 * In fw_entry.hits after an upgrade: the hits that the previous version has counted, if any, are still to be added. One
 * addition clears this bit and adds them, so that it happens once even if a process is killed. The bit stays where there
 * were none. It means nothing once that version is gone, and every reader of hits masks it out.
 */
#define FW_HITS_PENDING (1ull << 63)

/*
 * What is known of one prefix or port. An entry may be in several lists, in each with its own directions; bit N of a
 * mask stands for list N. The kernel counts hits in place.
 */
struct fw_entry {
	FW_TEST_MEMBER
	__u64 lists[_FW_DIRECTION_MAX]; /* lists that hold it, as bits; writer: user space */
	__u64 hits;     /* packets decided by this entry, except in other network namespaces where known; writer: kernel */
	__u32 until;    /* tick at which it ends in all its lists, or FW_UNTIL_*; writer: user space */
	__u32 last_hit; /* tick of the latest hit, 0 = none; writer: kernel */
};

/*
 * An entry table is an array of elements: the first is the header, those after it hold the heads of chains, and all others
 * are slots. A head, and next of a slot, is the index of a slot, 0 = none. chain-head.h says where an entry is found,
 * lib/htab/chains.h how one comes and goes. Writer: user space, through mmap, but for hits and last_hit.
 */
struct fw_table {
	FW_TEST_MEMBER
	__u64 seed;
	__u32 n_heads;    /* a power of two, at least FW_HEADS */
	__u32 n_entries;  /* how many may be in it: there are more slots, for those that are being replaced */
	__u32 first_slot;
	__u32 n_used;     /* entries in it */
	__u32 fresh;      /* slots from here on were never used, and are zero */
	__u32 free_first; /* of the slots that were given up that for longest, 0 = none */
	__u32 free_last;
	__u32 n_reused;   /* counts up before a slot that was given up is used again */
};

#define FW_HEADS     16 /* in an element */
#define FW_CHAIN_MAX 32 /* slots in a chain; where there would be more, another seed takes its place */

/*
 * A cache line. The address is two numbers in host order, of IPv4 all in the first; bits past prefixlen are zero. A retired
 * slot does not change as long as a packet may still reference it.
 */
struct fw_slot {
	__u64 high;
	__u64 low;
	__u8 prefixlen; /* bits, 0..32 or 0..128 */
	__u8 is_used;   /* not 0: complete, and in a chain; for readers that do not know the hash */
	__u16 reserved; /* zero */
	__u32 next;
	struct fw_entry entry;
	union {
		__u64 copied_hits; /* in use: those that it came with, or that the table to come has already */
		struct {
			__u32 free_next;       /* given up: the next one */
			__u32 free_is_settled; /* not 0: and no packet references it any more */
		};
	};
};

union fw_element {
	struct fw_table table;
	__u32 heads[FW_HEADS];
	struct fw_slot slot;
};
_Static_assert(sizeof(union fw_element) == sizeof(struct fw_slot), "what a description of the maps tells of it");

/* The ends of an entry whose lists disagree. Key of an entry of either table, or of a port entry. */
enum fw_kind {
	FW_KIND_IPV4,
	FW_KIND_IPV6,
	FW_KIND_PORT,
	_FW_KIND_MAX,
};

struct fw_ends_key {
	FW_TEST_MEMBER
	__u32 kind;      /* enum fw_kind */
	__u32 prefixlen; /* bits; index into port_entries for a port */
	__be32 addr[4];  /* network order; IPv4: addr[0]; port: zero */
};

struct fw_ends {
	FW_TEST_MEMBER
	__u32 until[FW_LISTS_MAX]; /* tick per list, FW_UNTIL_NEVER, unused where the entry has no bit */
};

/*
 * One port entry, at a fixed index for as long as it lives. User space changes it in place: packets go by the copy in the port
 * index, and only count hits here. They name an entry by its index, so an index that was given up keeps its content,
 * and gets no other entry, until no packet can have it from a port index any more.
 */
struct fw_port {
	FW_TEST_MEMBER
	struct fw_entry entry;
	__u16 first;    /* host order */
	__u16 last;     /* host order, inclusive */
	__u8 protocol;  /* enum fw_protocol */
	__u8 is_used;   /* 0 = free index */
	__u8 is_given_up; /* not 0: free, but a packet may still have this index; cleared after the next exchange */
	__u8 reserved;  /* zero */
};

/* What packets take from a port entry. */
struct fw_port_rule {
	__u64 lists[_FW_DIRECTION_MAX]; /* see struct fw_entry */
	__u32 until;    /* see struct fw_entry; the ends of FW_UNTIL_MIXED are in the map ends */
	__u32 reserved; /* zero */
};

/*
 * Which port entries cover a port, and what they say. Derived from port_entries, built aside by user space and exchanged
 * whole, so that a packet sees all ports as they were at one moment. The bitmap answers "none" with one load; what it lets
 * through is searched in the segments, which cut the ports into ranges covered by the same entries.
 */
struct fw_port_index {
	__u64 any[_FW_PROTOCOL_MAX][_FW_DIRECTION_MAX][65536 / 64]; /* bit port % 64 of word port / 64 */
	__u64 lists[_FW_DIRECTION_MAX];        /* that have a port entry, as bits */
	__u32 start[FW_PORT_SEGMENTS_MAX];     /* protocol << 16 | port, ascending from 0; unused = ~0 */
	__u8 n_covering[FW_PORT_SEGMENTS_MAX]; /* 0..FW_PORT_OVERLAP_MAX */
	__u8 covering[FW_PORT_SEGMENTS_MAX][FW_PORT_OVERLAP_MAX]; /* port_entries, narrowest first */
	struct fw_port_rule rules[FW_PORT_ENTRIES_MAX]; /* by index into port_entries, all zero = free */
};

/* Flags of fw_policy. */
enum {
	FW_POLICY_STRICT = 1 << 0, /* drop malformed IP instead of passing it */
	FW_POLICY_PORTS = 1 << 1,  /* there are port entries */
	FW_POLICY_LOOPBACK = 1 << 2, /* the cgroup programs judge the loopback interface as well */
};

/* The cgroup programs leave the ports of one direction to tc and xdp, because this kernel does not tell them whose they are. */
#define FW_POLICY_LEAVES_PORTS(direction) (1u << 3 << (direction))

/* The slot of a generation. The number itself shows that a slot has been reused in the meantime. */
#define fw_slot(generation) ((generation) % FW_TABLE_SLOTS)

/* How the hashed words of one filter are found. Each generation has another seed, so that nobody can aim at it. */
struct fw_filter {
	__u64 seed;
	__u32 n_words;
	__u32 reserved; /* zero */
};

/* The same for the chains of one table: what its header says, for packets. */
struct fw_chains {
	__u64 seed;
	__u32 n_heads;
	__u32 reserved; /* zero */
};

/* The cells of one filter: cell n % 32 of word n / 32 is that of the /16 with these bits. */
struct fw_cells {
	__u64 words[65536 / FW_CELLS_PER_WORD];
};

/*
 * Which viewers want drops, in one word. Each CPU keeps the last value that it has acted on, see fw_sampling, and looks
 * again when the value differs. Monitors extend until, about once a second.
 */
union fw_watch_drops {
	struct {
		__u32 until; /* tick until which monitors watch, 0 = none does */
		__u32 epoch; /* samples start from scratch when it changes; 0 = no samples */
	};
	__u64 both;
};

/*
 * The switches a program reads once per packet. Mapped into user space, so that each field changes
 * with one store. A bit of lengths4/6 may be set without an entry of that length, never missing with
 * one: it is set before the first such entry and cleared after the last (invariant I1).
 * Position P stands for prefix length 32 - P or 128 - P: the lowest set bit is the longest prefix.
 */
struct fw_policy {
	FW_TEST_MEMBER
	__u64 lengths4;    /* prefix lengths in use, position 32 - length */
	__u64 lengths6[4]; /* prefix lengths in use, position 128 - length, 64 to a word; the last is 0 */
	__u64 block;       /* enabled block lists that enforce */
	__u64 audit;       /* enabled block lists in mode audit */
	__u64 allow;       /* enabled allow lists that hold any entry */
	__u32 table_generation[2];  /* by enum fw_kind; counts up, fw_slot() of it is the table in use */
	__u32 filter_generation[2]; /* the same for the filter */
	__u32 flags;    /* FW_POLICY_* */
	__u32 watch_packets; /* tick until which every packet is looked at, 0 = none is; the kernel stores 0, too */
	union fw_watch_drops watch_drops;
	__u32 seen_until;  /* tick until which addresses are noted in the map seen */
	__u32 sizes_until; /* tick until which the map sizes is counted */
	struct fw_filter filters[2][FW_TABLE_SLOTS]; /* by enum fw_kind and slot */
	struct fw_chains chains[2][FW_TABLE_SLOTS];  /* the same of the table */
	__u64 zero;        /* always 0, which the verifier cannot know: see unknown() in packet.h */
};

/* What user space keeps count of, so that no command has to walk the tables. */
struct fw_census {
	__u64 v4[32 + 1];  /* entries per prefix length: says when a bit of lengths4/6 may be cleared */
	__u64 v6[128 + 1];
	__u64 n_keys[2];   /* by enum fw_kind: keys ever put into the filter in use */
	__u64 n_ends;      /* elements of the map of ends, as far as its writers lived to count them */
	__u32 next_end;    /* no entry ends before this tick; FW_UNTIL_MAX = none ends */
	__u32 is_changing; /* a writer has begun and not committed: if it is gone, table_repair() is due */
};

/* A list: its policy and its size. Writer: user space. The kernel sees only the masks in fw_policy. */
struct fw_list {
	FW_TEST_MEMBER
	char name[FW_LIST_NAME_MAX]; /* NUL-terminated; empty = free index */
	__u64 n_entries;
	__u8 action;     /* enum fw_action */
	__u8 mode;       /* enum fw_mode */
	__u8 is_enabled; /* a disabled list keeps its entries and decides nothing */
	__u8 directions; /* FW_IN | FW_OUT for entries that name none; 0 = both for prefixes, in for ports */
	__u32 file_stamp; /* of the list file that says what the kernel holds, 0 to 2 = it may differ, see lib/lists/listfile.h */
	__u64 made_ns;    /* boot clock when it was made: what dropped before it was the list that had this index then */
	__u64 former_made_ns;
	char former[FW_LIST_NAME_MAX]; /* its name, "" = there was none */
};

/*
 * Which drops are to be reported, which is tested at each: all while monitors watch, and samples. In each epoch all
 * drops are samples at first, then, after each FW_SAMPLES_PER_STEP, half as many of the next as before, at
 * random distances. However many drops come, there are few samples, and where drops are few each is one.
 * Written and read by the kernel alone.
 */
#define FW_SAMPLES_PER_STEP 64
#define FW_SAMPLE_STEPS_MAX 20 /* then it stays at one of 2^20 */

struct fw_sampling {
	__u64 at;     /* the drop that makes fw_counters.dropped this many or more is looked at: 0 for all ... */
	__u64 watch;  /* ... as long as this is fw_watch_drops.both; every drop is where it is not */
	__u64 next;   /* the same for samples: the drop that will be the next one */
	__u64 done;   /* fw_counters.dropped at the latest sample: the next one represents what came since */
	__u32 epoch;  /* that this is about */
	__u32 n;      /* samples in it */
};

/*
 * Per CPU, per hook and direction (index fw_counters_index), never reset. Packets are wire packets: a segmented skb counts
 * gso_segs times. Bytes are skb lengths as the hook sees them: with the Ethernet header at tc, without it at cgroup.
 *
 * A program counts a packet either in packets and bytes or in dropped and dropped_bytes, and a reader adds the latter to the
 * former. So a reader that reads between two stores never sees a number go back.
 */
struct fw_counters {
	FW_TEST_MEMBER
	__u64 packets; /* in the map those that passed, see table_read_counters() for all */
	__u64 bytes;   /* of these */
	__u64 syn;     /* TCP SYN without ACK; counted before the verdict */
	__u64 syn_ack; /* TCP SYN with ACK */
	__u64 dropped; /* packets */
	__u64 dropped_bytes;
	__u64 unparsed; /* packets of which the address or the L4 header could not be read */
	__u64 skbs;     /* what the kernel handed over, before gso_segs */
	__u64 reasons[_FW_REASON_MAX]; /* packets, by enum fw_reason */
	__u64 dropped_other_netns; /* of dropped: in another network namespace than the daemon's, where the kernel tells */
	struct fw_sampling sampling; /* no counter: not for adding up */
};

#define FW_COUNTERS_MAX (_FW_HOOK_MAX * _FW_DIRECTION_MAX)
#define fw_counters_index(hook, direction) ((hook) * _FW_DIRECTION_MAX + (direction))

/* Per CPU, per list. A packet is counted in one list: the lowest bit of the entry that decided. */
struct fw_list_counters {
	FW_TEST_MEMBER
	__u64 hits;          /* packets decided by an entry of this list */
	__u64 dropped;       /* of these, dropped */
	__u64 dropped_bytes;
	__u64 would_drop;    /* mode audit: passed, and would have been dropped */
	__u64 other_netns;   /* in none of the above: packets decided in another network namespace, where the kernel tells */
};

/* A clock that costs a load: the boot clock as read at the jiffy in which this CPU last needed it. */
struct fw_clock {
	__u64 jiffies;
	__u32 tick;
	__u32 reserved; /* zero */
};

/*
 * A watcher. User space takes a slot, with the writer lock held. The slot is taken until its tick has passed, unless
 * renewed. Mapped: until is stored last. The slot FW_WATCHER_DAEMON is the daemon's, for its samples.
 */
#define FW_WATCHER_DAEMON 0

enum fw_watch {
	FW_WATCH_DROPS,   /* each drop that passes the filter, as an event in the ring of the same slot */
	FW_WATCH_SAMPLES, /* samples of drops, without a filter; FW_WATCHER_DAEMON alone */
	FW_WATCH_SEEN,    /* addresses, in the map seen */
	FW_WATCH_SIZES,   /* lengths and distances, in the map sizes */
	_FW_WATCH_MAX,
};

/* Addresses are compared under their mask, IPv4 as ::ffff:a.b.c.d; a mask of zero lets all pass. */
struct fw_watcher {
	__u32 until;     /* tick until which the slot is taken, 0 = free; writer: user space */
	__u8 watch;      /* enum fw_watch */
	__u8 hooks;      /* 1 << enum fw_hook */
	__u8 directions; /* FW_IN | FW_OUT */
	__u8 is_audit;   /* what a list in mode audit would have dropped, too */
	__u64 lists;     /* lists that decided, as bits; 0 = all, and what no entry decided */
	__be32 source[4];
	__be32 source_mask[4];
	__be32 destination[4];
	__be32 destination_mask[4];
	__u32 budget;    /* events per CPU and tick, at least 1; what is over it is counted as hidden */
	__u32 reserved;  /* zero */
};

/*
 * Per CPU and slot: what became of the drops that passed the filter, in wire packets, never reset. The three
 * add up to all of them. Of samples those that are no sample are in none.
 */
struct fw_watch_counts {
	__u64 shown;  /* in the ring */
	__u64 hidden; /* over the budget */
	__u64 lost;   /* the ring was full */
	__u32 tick;   /* of which left is the rest of the budget; user space stores 0 when the slot is taken */
	__u32 left;
};

/* One drop or would-drop, as a record in a ring. */
enum {
	FW_EVENT_IP = 1 << 0,    /* source, destination and protocol could be read */
	FW_EVENT_PORTS = 1 << 1, /* and both ports */
	FW_EVENT_ICMP = 1 << 2,  /* and type and code, of ICMP or ICMPv6 */
	FW_EVENT_OTHER_NETNS = 1 << 3, /* in another network namespace than the daemon's: ifindex is one of that one */
};

struct fw_event {
	__u64 time_ns;         /* boot clock */
	__u64 weight;          /* wire packets it stands for: n_packets, but for samples */
	__be32 source[4];      /* IPv4: ::ffff:a.b.c.d */
	__be32 destination[4];
	__u32 ifindex;         /* 0 = none */
	__u32 n_packets;       /* wire packets */
	__u32 n_bytes;         /* as fw_counters.bytes counts them */
	__u16 source_port;     /* host order */
	__u16 destination_port;
	__u8 flags;            /* FW_EVENT_* */
	__u8 protocol;         /* IP protocol number, in IPv6 the one after the extension headers */
	__u8 tcp_flags;        /* 0 unless TCP */
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 hook;             /* enum fw_hook */
	__u8 direction;        /* enum fw_direction */
	__u8 verdict;          /* enum fw_verdict: drop, or pass of a would-drop */
	__u8 reason;           /* enum fw_reason */
	__u8 list;             /* the list that decided, if an entry did */
	__u8 entry_kind;       /* enum fw_kind of that entry, _FW_KIND_MAX = no entry decided */
	__u8 entry_prefixlen;  /* of an address: it is the source at ingress, the destination at egress */
	__u8 entry_protocol;   /* enum fw_protocol of a port entry */
	__u8 reserved;         /* zero */
	__u16 entry_first;     /* of a port entry, host order */
	__u16 entry_last;
	__u16 reserved2[3];    /* zero */
};

/*
 * One address that was seen, the source at ingress, the destination at egress, since it came into the map: the
 * least recently used make room for others. By hook and direction, for a packet that passes several is seen at each.
 */
struct fw_seen_key {
	__be32 addr[4]; /* IPv4: ::ffff:a.b.c.d */
};

struct fw_seen_at {
	__u64 packets; /* wire packets */
	__u64 bytes;
	__u64 syn;
	__u64 dropped; /* packets */
};

/* After the hooks, by direction: what the cgroup hook sees in other network namespaces, where the kernel tells. */
#define FW_SEEN_OTHER_NETNS FW_COUNTERS_MAX
#define FW_SEEN_MAX         (FW_SEEN_OTHER_NETNS + _FW_DIRECTION_MAX)

struct fw_seen {
	struct fw_seen_at at[FW_SEEN_MAX]; /* by fw_counters_index, FW_SEEN_OTHER_NETNS */
	__u32 last;     /* tick of the latest packet */
	__u32 reserved; /* zero */
};

/* Per CPU, per hook and direction (index fw_counters_index): counted while somebody watches, never reset. */
struct fw_sizes {
	__u64 size[FW_SIZES_MAX]; /* wire packets; N: their length is 2^N to 2^(N+1) - 1; of a segmented skb the mean */
	__u64 gap[FW_GAPS_MAX];   /* skbs; N: 2^N to 2^(N+1) - 1 ns after the one before on this CPU */
	__u64 last_ns;            /* monotonic clock at the latest one, 0 = none; no counter */
};

/* How something is attached. */
enum fw_mechanism {
	FW_MECHANISM_NONE,
	FW_MECHANISM_TCX,     /* tcx link, kernel 6.6 and later */
	FW_MECHANISM_CLSACT,  /* filter on a clsact qdisc */
	FW_MECHANISM_CGROUP,  /* cgroup link */
	FW_MECHANISM_XDP_NATIVE,  /* XDP link, run by the driver */
	FW_MECHANISM_XDP_GENERIC, /* XDP link, run by the stack where the driver cannot */
	_FW_MECHANISM_MAX,
};

#define FW_TEXT_MAX      256
#define FW_NOTE_MAX      184
#define FW_XDP_NOTES_MAX 16 /* interfaces; of further ones the journal tells */

/* Why an interface does not have what it could have. */
struct fw_note {
	__u32 ifindex;    /* 0 = unused, as all after it */
	__u32 foreign_id; /* the program of another owner that is in the way, 0 = none */
	char text[FW_NOTE_MAX];
};

/* How the daemon attached, and everything a reader must know before it believes the other pins. */
struct fw_meta {
	/* the first three stay where they are in every version */
	__u32 abi_version;   /* FW_ABI_VERSION */
	__u32 layout;        /* fw_layout() of the writer */
	char version[32];    /* release of the daemon that loaded the programs */
	__u64 max_entries;   /* MaxEntries=: how far an entry table may grow */
	__u64 loaded_at;     /* Unix seconds at which the daemon loaded the programs */
	__u64 configured_at; /* Unix seconds at which it last took over a configuration */
	__u32 tc_mechanism;  /* enum fw_mechanism */
	__u32 interfaces_hash; /* config_interfaces_hash(): were interfaces chosen by the words of today? 0 = unknown */
	__u64 counting_since; /* ns of the boot clock at which the counters began at 0: says which they are */
	__u64 netns_cookie;  /* network namespace of the daemon: a number that no other gets, 0 = a kernel before 5.14 */
	__u64 netns_inode;   /* the same as lsns(8) shows it; used again when the namespace is gone, 0 = unknown */
	FW_TEST_MEMBER
	char tc_reason[FW_TEXT_MAX];   /* why that mechanism; "" = it is the preferred one */
	char cgroup[FW_TEXT_MAX];      /* path the cgroup programs are attached to, "" = not attached */
	char cgroup_reason[FW_TEXT_MAX]; /* why the cgroup hook is off, "" = it is on or not wanted */
	char cgroup_ports[FW_TEXT_MAX];  /* why it does not judge the ports of our network namespace alone, "" = it does */
	char pending[FW_TEXT_MAX];     /* configured interface names that do not exist yet */
	char failed[FW_TEXT_MAX];      /* interfaces that could not be attached, and why */
	struct fw_note xdp_notes[FW_XDP_NOTES_MAX]; /* interfaces without xdp that were to have it, or in generic mode */
};

/*
 * Where our clsact filters are: before all others, since any of those may end the chain. A priority has filters of one kind
 * and protocol only. If others have taken the first one for another kind, ours are at the second, as in earlier versions. No
 * other program is known to use this handle.
 */
#define FW_TC_PRIORITY        1
#define FW_TC_PRIORITY_SECOND 66
#define FW_TC_HANDLE   0xebf0f1

/* What fw_check answers, packed into the return value of a test run. */
#define FW_ANSWER(verdict, reason, list) ((__u32)(verdict) | (__u32)(reason) << 8 | (__u32)(list) << 16)
#define FW_ANSWER_VERDICT(answer) ((answer) & 0xff)
#define FW_ANSWER_REASON(answer)  ((answer) >> 8 & 0xff)
#define FW_ANSWER_LIST(answer)    ((answer) >> 16 & 0xff)

/*
 * A hash over everything shared that shows in a size, and over the version of what does not: catches a
 * layout that changed without FW_ABI_VERSION. Raise FW_UNSEEN_VERSION with every change to a hash or a
 * position in filter-bits.h or chain-head.h, for a filter filled by one version and read by another says "no" wrongly, and to
 * the flags of a map in maps.h, which decide what fits into a map of maps.
 */
#define FW_UNSEEN_VERSION 5
#define FW_LAYOUT_STEP(h, type) (((h) ^ sizeof(type)) * 16777619u)
static inline __u32 fw_layout(void)
{
	__u32 h = 2166136261u;

	h = FW_LAYOUT_STEP(h, struct fw_entry);
	h = FW_LAYOUT_STEP(h, struct fw_table);
	h = FW_LAYOUT_STEP(h, struct fw_slot);
	h = FW_LAYOUT_STEP(h, struct fw_ends_key);
	h = FW_LAYOUT_STEP(h, struct fw_ends);
	h = FW_LAYOUT_STEP(h, struct fw_port);
	h = FW_LAYOUT_STEP(h, struct fw_port_index);
	h = FW_LAYOUT_STEP(h, struct fw_cells);
	h = FW_LAYOUT_STEP(h, struct fw_policy);
	h = FW_LAYOUT_STEP(h, struct fw_census);
	h = FW_LAYOUT_STEP(h, struct fw_list);
	h = FW_LAYOUT_STEP(h, struct fw_counters);
	h = FW_LAYOUT_STEP(h, struct fw_list_counters);
	h = FW_LAYOUT_STEP(h, struct fw_watcher);
	h = FW_LAYOUT_STEP(h, struct fw_watch_counts);
	h = FW_LAYOUT_STEP(h, struct fw_event);
	h = FW_LAYOUT_STEP(h, struct fw_seen);
	h = FW_LAYOUT_STEP(h, struct fw_sizes);
	h = FW_LAYOUT_STEP(h, struct fw_meta);
	return (h ^ FW_UNSEEN_VERSION) * 16777619u;
}

#ifndef FW_TEST_LAYOUT
_Static_assert(sizeof(struct fw_entry) == 32, "kernel and user space share this layout");
_Static_assert(sizeof(union fw_element) == 64, "a cache line");
_Static_assert(sizeof(struct fw_ends_key) == 24, "kernel and user space share this layout");
_Static_assert(sizeof(struct fw_port) == 40, "kernel and user space share this layout");
_Static_assert(sizeof(struct fw_policy) == 240, "kernel and user space share this layout");
_Static_assert(__builtin_offsetof(struct fw_policy, watch_drops) / 64 ==
	       __builtin_offsetof(struct fw_policy, flags) / 64, "one cache line, which each packet reads anyway");
_Static_assert(sizeof(struct fw_list) == 160, "kernel and user space share this layout");
_Static_assert(__builtin_offsetof(struct fw_counters, sampling) == 144, "the first cache line for every packet, two for a drop");
_Static_assert(sizeof(struct fw_watcher) == 88, "kernel and user space share this layout");
_Static_assert(sizeof(struct fw_watch_counts) == 32, "kernel and user space share this layout");
_Static_assert(sizeof(struct fw_event) == 88, "kernel and user space share this layout");
_Static_assert(sizeof(struct fw_seen) == 264, "kernel and user space share this layout");
#endif
