// SPDX-License-Identifier: GPL-2.0-or-later

/* Events as text and as JSON: see event.h. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/words.h"
#include "kernel/tick.h"
#include "log/log.h"
#include "output/event.h"
#include "output/format.h"
#include "text/names.h"
#include "text/prefix.h"
#include "text/target.h"

#define ENDPOINT_MAX     (INET6_ADDRSTRLEN + sizeof("[]:65535"))
#define WIDTH_FIRST      21 /* of an IPv4 address with its port */

void event_names_forget(struct event_names *names)
{
	memset(names->interfaces, 0, sizeof(names->interfaces));
}

/* "" where there is none, or none any more. */
static const char *interface_name(struct event_names *names, uint32_t index)
{
	size_t i = index % ELEMENTSOF(names->interfaces);

	if (names->interfaces[i].index != index) {
		if (!if_indextoname(index, names->interfaces[i].name))
			names->interfaces[i].name[0] = '\0';
		names->interfaces[i].index = index;
	}
	return names->interfaces[i].name;
}

/* Asked for each event: the list may have been removed since, and another one have its number. */
static const char *list_name(struct event_names *names, const struct fw_event *e, char text[static FW_LIST_NAME_MAX])
{
	char name[FW_LIST_NAME_MAX];

	text[0] = '\0';
	if (table_list_name_at(names->table, e->list, e->time_ns, name) == 0)
		(void) log_escape(name, text, FW_LIST_NAME_MAX); /* names are checked before they get in */
	return text;
}

static bool is_other_netns(const struct fw_event *e)
{
	return e->flags & FW_EVENT_OTHER_NETNS;
}

static bool has_entry(const struct fw_event *e)
{
	return e->entry_kind < _FW_KIND_MAX;
}

/* The entry that decided, as it was named when it came. */
static const char *format_entry(const struct fw_event *e, char text[static TARGET_TEXT_MAX])
{
	struct target t = { .kind = TARGET_PORT };

	if (e->entry_kind == FW_KIND_PORT) {
		t.port.protocol = e->entry_protocol;
		t.port.first = e->entry_first;
		t.port.last = e->entry_last;
		return target_format(&t, text);
	}
	t.kind = TARGET_PREFIX;
	t.prefix = prefix_from_mapped(e->direction == FW_INGRESS ? e->source : e->destination);
	t.prefix = prefix_from_bytes(t.prefix.family, t.prefix.bytes, e->entry_prefixlen);
	return target_format(&t, text);
}

static const char *protocol_name(uint8_t number, char text[static 8])
{
	static const char *const protocols[] = {
		[IPPROTO_ICMP] = "icmp",
		[IPPROTO_IGMP] = "igmp",
		[IPPROTO_IPIP] = "ipip",
		[IPPROTO_TCP] = "tcp",
		[IPPROTO_UDP] = "udp",
		[IPPROTO_IPV6] = "ipv6",
		[IPPROTO_GRE] = "gre",
		[IPPROTO_ESP] = "esp",
		[IPPROTO_AH] = "ah",
		[IPPROTO_ICMPV6] = "icmpv6",
		[IPPROTO_SCTP] = "sctp",
	};
	const char *name = words_get(protocols, ELEMENTSOF(protocols), number);

	if (!name)
		(void) snprintf(text, 8, "%u", number);
	return name ?: text;
}

/* Bits of the 14th byte of a TCP header, from the lowest. */
static const char *const tcp_flags[8] = { "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr" };

static json_object *flags_to_json(uint8_t flags)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < ELEMENTSOF(tcp_flags); i++)
		if (flags >> i & 1)
			json_object_array_add(array, json_text(tcp_flags[i]));
	return array;
}

/* When it was, on the clock on the wall. */
static struct timespec wall_time(const struct fw_event *e)
{
	struct timespec wall;
	uint64_t ns;

	(void) clock_gettime(CLOCK_REALTIME, &wall);
	ns = wall.tv_sec * NS_PER_SEC + wall.tv_nsec - boot_clock_ns() + e->time_ns;
	return (struct timespec){ .tv_sec = ns / NS_PER_SEC, .tv_nsec = ns % NS_PER_SEC };
}

static json_object *time_to_json(const struct fw_event *e)
{
	struct timespec when = wall_time(e);
	char text[32];

	(void) snprintf(text, sizeof(text), "%lld.%06ld", (long long)when.tv_sec, when.tv_nsec / 1000);
	return json_object_new_double_s(when.tv_sec + when.tv_nsec / 1e9, text);
}

static void add_addresses(json_object *o, const struct fw_event *e)
{
	struct prefix source = prefix_from_mapped(e->source), destination = prefix_from_mapped(e->destination);
	char text[PREFIX_TEXT_MAX], number[8];

	json_object_object_add(o, "source", json_text(prefix_format(&source, text)));
	if (e->flags & FW_EVENT_PORTS)
		json_object_object_add(o, "source_port", json_object_new_int(e->source_port));
	json_object_object_add(o, "destination", json_text(prefix_format(&destination, text)));
	if (e->flags & FW_EVENT_PORTS)
		json_object_object_add(o, "destination_port", json_object_new_int(e->destination_port));
	json_object_object_add(o, "protocol", json_text(protocol_name(e->protocol, number)));
	if (e->protocol == IPPROTO_TCP)
		json_object_object_add(o, "tcp_flags", flags_to_json(e->tcp_flags));
	if (e->flags & FW_EVENT_ICMP) {
		json_object_object_add(o, "icmp_type", json_object_new_int(e->icmp_type));
		json_object_object_add(o, "icmp_code", json_object_new_int(e->icmp_code));
	}
}

json_object *event_to_json(const struct fw_event *e, struct event_names *names)
{
	json_object *o = json_object_new_object();
	char entry[TARGET_TEXT_MAX], list[FW_LIST_NAME_MAX];

	if (!o)
		return NULL;
	json_object_object_add(o, "time", time_to_json(e));
	json_object_object_add(o, "hook", json_text(hook_to_string(e->hook)));
	json_object_object_add(o, "direction", json_text(direction_to_string(e->direction)));
	json_object_object_add(o, "interface", json_text(is_other_netns(e) ? "" : interface_name(names, e->ifindex)));
	json_object_object_add(o, "ifindex", json_object_new_int64(e->ifindex));
	json_object_object_add(o, "other_netns", json_object_new_boolean(is_other_netns(e)));
	json_object_object_add(o, "verdict", json_text(verdict_to_string(e->verdict)));
	json_object_object_add(o, "reason", json_text(reason_to_string(e->reason)));
	if (e->flags & FW_EVENT_IP)
		add_addresses(o, e);
	json_object_object_add(o, "packets", json_object_new_int64(e->n_packets));
	json_object_object_add(o, "bytes", json_object_new_int64(e->n_bytes));
	json_object_object_add(o, "entry", json_text(has_entry(e) ? format_entry(e, entry) : NULL));
	json_object_object_add(o, "list", json_text(has_entry(e) ? list_name(names, e, list) : NULL));
	return o;
}

/* "192.0.2.1:80", "[2001:db8::1]:80", or the address alone. */
static const char *format_endpoint(const struct fw_event *e, const __be32 mapped[static 4], uint16_t port,
				   char text[static ENDPOINT_MAX])
{
	struct prefix address = prefix_from_mapped(mapped);
	char plain[PREFIX_TEXT_MAX];

	(void) prefix_format(&address, plain);
	if (!(e->flags & FW_EVENT_PORTS))
		(void) snprintf(text, ENDPOINT_MAX, "%s", plain);
	else
		(void) snprintf(text, ENDPOINT_MAX, address.family == AF_INET6 ? "[%s]:%u" : "%s:%u", plain, port);
	return text;
}

/* "tcp syn+ack", "icmp 8/0", "udp" */
static const char *format_protocol(const struct fw_event *e, char text[static 64])
{
	const char *separator = " ";
	char number[8];
	size_t n;

	text[0] = '\0';
	if (!(e->flags & FW_EVENT_IP))
		return text;
	n = snprintf(text, 64, "%s", protocol_name(e->protocol, number));
	for (size_t i = 0; i < ELEMENTSOF(tcp_flags); i++) {
		if (e->protocol != IPPROTO_TCP || !(e->tcp_flags >> i & 1))
			continue;
		n += snprintf(text + n, 64 - n, "%s%s", separator, tcp_flags[i]);
		separator = "+";
	}
	if (e->flags & FW_EVENT_ICMP)
		(void) snprintf(text + n, 64 - n, " %u/%u", e->icmp_type, e->icmp_code);
	return text;
}

struct parts {
	char when[16];
	char place[16]; /* hook and direction */
	char interface[IF_NAMESIZE + 1];
	char source[ENDPOINT_MAX];
	char destination[ENDPOINT_MAX];
	char protocol[64];
	char length[32];
	char entry[TARGET_TEXT_MAX + FW_LIST_NAME_MAX + sizeof(" of ")];
};

static void take_apart(const struct fw_event *e, struct event_names *names, struct parts *p)
{
	struct timespec when = wall_time(e);
	char target[TARGET_TEXT_MAX], list[FW_LIST_NAME_MAX];
	const char *name;
	struct tm local;
	size_t n;

	*p = (struct parts){};
	n = localtime_r(&when.tv_sec, &local) ? strftime(p->when, sizeof(p->when), "%H:%M:%S", &local) : 0;
	(void) snprintf(p->when + n, sizeof(p->when) - n, ".%03ld", when.tv_nsec / 1000000 % 1000);
	(void) snprintf(p->place, sizeof(p->place), "%-6s %-3s", hook_to_string(e->hook) ?: "",
			directions_to_string(1u << e->direction) ?: "");
	name = is_other_netns(e) ? "" : interface_name(names, e->ifindex);
	if (is_other_netns(e))
		(void) snprintf(p->interface, sizeof(p->interface), "netns #%u", e->ifindex);
	else if (name[0] == '\0' && e->ifindex)
		(void) snprintf(p->interface, sizeof(p->interface), "#%u", e->ifindex);
	else
		(void) log_escape(name[0] ? name : "-", p->interface, sizeof(p->interface));
	if (e->flags & FW_EVENT_IP) {
		(void) format_endpoint(e, e->source, e->source_port, p->source);
		(void) format_endpoint(e, e->destination, e->destination_port, p->destination);
	}
	(void) format_protocol(e, p->protocol);
	if (e->n_packets > 1)
		(void) snprintf(p->length, sizeof(p->length), "%u in %u", e->n_bytes, e->n_packets);
	else
		(void) snprintf(p->length, sizeof(p->length), "%u", e->n_bytes);
	if (has_entry(e))
		(void) snprintf(p->entry, sizeof(p->entry), "%s of %s", format_entry(e, target),
				list_name(names, e, list));
}

/* What happened, then the addresses and the entry as they fit: long ones on a line of their own, aligned. */
static size_t print_narrow(const struct parts *p, const char *reason, unsigned columns,
			   char text[static EVENT_TEXT_MAX])
{
	size_t n, line = 4 + strlen(p->source) + strlen(" > ") + strlen(p->destination);

	n = snprintf(text, EVENT_TEXT_MAX, "%s %s %-10s %-12s %6s %s\n", p->when, p->place, p->interface, p->protocol,
		     p->length, reason);
	if (p->source[0] && line <= columns)
		n += snprintf(text + n, EVENT_TEXT_MAX - n, "    %s > %s", p->source, p->destination);
	else if (p->source[0])
		n += snprintf(text + n, EVENT_TEXT_MAX - n, "    %s\n  > %s", p->source, p->destination);
	if (!p->source[0])
		return n;

	if (line > columns)
		line = 4 + strlen(p->destination);
	if (p->entry[0] && line + strlen("  by ") + strlen(p->entry) <= columns)
		n += snprintf(text + n, EVENT_TEXT_MAX - n, "  by %s", p->entry);
	else if (p->entry[0])
		n += snprintf(text + n, EVENT_TEXT_MAX - n, "\n    by %s", p->entry);
	return n + snprintf(text + n, EVENT_TEXT_MAX - n, "\n");
}

size_t event_to_text(const struct fw_event *e, struct event_names *names, unsigned columns,
		     char text[static EVENT_TEXT_MAX])
{
	const char *reason = reason_to_string(e->reason) ?: "";
	struct parts p;
	int wider;

	take_apart(e, names, &p);
	if (columns > 0 && columns < EVENT_COLUMNS)
		return print_narrow(&p, reason, columns, text);

	wider = strlen(p.source) > strlen(p.destination) ? strlen(p.source) : strlen(p.destination);
	if (names->width < WIDTH_FIRST)
		names->width = WIDTH_FIRST;
	if (names->width < wider)
		names->width = wider;
	return snprintf(text, EVENT_TEXT_MAX, "%s %s %-10s %-*s > %-*s %-12s %6s %-9s %s\n", p.when, p.place,
			p.interface, names->width, p.source, names->width, p.destination, p.protocol, p.length, reason,
			p.entry);
}
