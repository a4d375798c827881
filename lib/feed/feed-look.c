// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * What a file looks like that cannot be read as a list, and what to do with it. For the message of a
 * refusal only: nothing is accepted or refused because of it.
 */

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "feed/feed-internal.h"

/* Bytes at a fixed place. Longer ones come before those that they begin with. */
static const struct magic {
	size_t at;
	const char *bytes;
	size_t n_bytes;
	const char *look;
} magics[] = {
#define MAGIC(at, bytes, look) { at, bytes, sizeof(bytes) - 1, look }
	MAGIC(0, "\x1f\x8b", "gzip data: decompress it first, as with gzip -dc"),
	MAGIC(0, "\x1f\x9d", "data of compress: decompress it first, as with gzip -dc"),
	MAGIC(0, "\x28\xb5\x2f\xfd", "zstd data: decompress it first, as with zstd -dc"),
	MAGIC(0, "\xfd\x37zXZ\0", "xz data: decompress it first, as with xz -dc"),
	MAGIC(0, "\x5d\0\0", "lzma data: decompress it first, as with xz -dc"),
	MAGIC(0, "BZh", "bzip2 data: decompress it first, as with bzip2 -dc"),
	MAGIC(0, "\x04\x22\x4d\x18", "lz4 data: decompress it first, as with lz4 -dc"),
	MAGIC(0, "LZIP", "lzip data: decompress it first, as with lzip -dc"),
	MAGIC(0, "PK\x03\x04", "a zip archive: unpack it first, as with unzip -p"),
	MAGIC(0, "PK\x05\x06", "an empty zip archive"),
	MAGIC(0, "7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
	MAGIC(0, "Rar!\x1a", "a rar archive: unpack it first"),
	MAGIC(257, "ustar", "a tar archive: unpack it first"),
	MAGIC(0, "%PDF-", "a PDF document: get the list as text"),
	MAGIC(0, "{\\rtf", "an RTF document: save the list as plain text"),
	MAGIC(0, "\xd0\xcf\x11\xe0", "an office document: save the list as plain text"),
	MAGIC(0, "\xff\xfe\0\0", "UTF-32: convert it first, as with iconv -f UTF-32 -t UTF-8"),
	MAGIC(0, "\0\0\xfe\xff", "UTF-32: convert it first, as with iconv -f UTF-32 -t UTF-8"),
	MAGIC(0, "\xff\xfe", "UTF-16: convert it first, as with iconv -f UTF-16 -t UTF-8"),
	MAGIC(0, "\xfe\xff", "UTF-16: convert it first, as with iconv -f UTF-16 -t UTF-8"),
	MAGIC(0, "\x7f" "ELF", "a program: give the list as text"),
	MAGIC(0, "\x89PNG", "a picture: give the list as text"),
	MAGIC(0, "\xff\xd8\xff", "a picture: give the list as text"),
	MAGIC(0, "GIF8", "a picture: give the list as text"),
	MAGIC(0, "SQLite format 3", "an SQLite database: export the addresses as text"),
	MAGIC(0, "\xd4\xc3\xb2\xa1", "a packet capture: give the addresses as text"),
	MAGIC(0, "\xa1\xb2\xc3\xd4", "a packet capture: give the addresses as text"),
	MAGIC(0, "\x0a\x0d\x0d\x0a", "a packet capture: give the addresses as text"),
	MAGIC(0, "PAR1", "a Parquet file: export the addresses as text"),
};

/* How the first line that is no comment begins, or the first bad one. */
static const struct {
	const char *start;
	const char *look;
} starts[] = {
	{ "<?xml",           "XML: keep only the addresses, one a line" },
	{ "<<<<<<<",         "a file with merge conflicts: resolve them first" },
	{ "<",               "a page of HTML or XML, maybe an error of the server: check the URL" },
	{ "HTTP/",           "an answer of a server with its header: download it without the header" },
	{ "-----BEGIN PGP",  "a message of PGP: verify it and keep the text" },
	{ "-----BEGIN",      "a key or certificate: give a list of addresses" },
	{ "version https://git-lfs", "a pointer of Git LFS: get the file itself with git lfs pull" },
	{ "*filter",         "the output of iptables-save: keep only the addresses, one a line" },
	{ "*nat",            "the output of iptables-save: keep only the addresses, one a line" },
	{ "*mangle",         "the output of iptables-save: keep only the addresses, one a line" },
	{ "*raw",            "the output of iptables-save: keep only the addresses, one a line" },
	{ "*security",       "the output of iptables-save: keep only the addresses, one a line" },
	{ "-A ",             "rules of iptables or ipset: keep only the addresses, one a line" },
	{ "-N ",             "rules of iptables or ipset: keep only the addresses, one a line" },
	{ "-P ",             "rules of iptables: keep only the addresses, one a line" },
	{ "-I ",             "rules of iptables: keep only the addresses, one a line" },
	{ "iptables ",       "commands of iptables: keep only the addresses, one a line" },
	{ "ip6tables ",      "commands of iptables: keep only the addresses, one a line" },
	{ "ipset ",          "commands of ipset: give the output of 'ipset save'" },
	{ "nft ",            "commands of nft: keep only the addresses, one a line" },
	{ "table <",         "a file of pf: give the output of 'pfctl -t TABLE -T show'" },
	{ "table ",          "rules of nftables: keep only the addresses, one a line" },
	{ "add table ",      "rules of nftables: keep only the addresses, one a line" },
	{ "add element ",    "rules of nftables: keep only the addresses, one a line" },
	{ "add rule ",       "rules of nftables: keep only the addresses, one a line" },
	{ "flush ruleset",   "rules of nftables: keep only the addresses, one a line" },
	{ "define ",         "rules of nftables: keep only the addresses, one a line" },
	{ "elements = ",     "rules of nftables: keep only the addresses, one a line" },
	{ "set ",            "rules of nftables or commands of a router: keep only the addresses, one a line" },
	{ "block in",        "rules of pf: keep only the addresses, one a line" },
	{ "block drop",      "rules of pf: keep only the addresses, one a line" },
	{ "block ",          "commands of 'fwctl batch': give it to that" },
	{ "unblock ",        "commands of 'fwctl batch': give it to that" },
	{ "fwctl ",          "commands of fwctl: run them, or give them to 'fwctl batch'" },
	{ "allow ",          "rules that allow: keep only the addresses, one a line" },
	{ "deny ",           "rules of a web server: keep only the addresses, one a line" },
	{ "Deny ",           "rules of a web server: keep only the addresses, one a line" },
	{ "Require ",        "rules of a web server: keep only the addresses, one a line" },
	{ "acl ",            "an ACL of BIND or squid: keep only the addresses, one a line" },
	{ "zone ",           "a configuration of BIND: give a list of addresses" },
	{ "options ",        "a configuration of BIND: give a list of addresses" },
	{ "$TTL",            "a DNS zone: keep only the addresses, one a line" },
	{ "$ORIGIN",         "a DNS zone: keep only the addresses, one a line" },
	{ "$SOA",            "a zone of rbldnsd: keep only the addresses, one a line" },
	{ "$NS",             "a zone of rbldnsd: keep only the addresses, one a line" },
	{ ":127.",           "a zone of rbldnsd: keep only the addresses, one a line" },
	{ "alert ",          "rules of Suricata or Snort: keep only the addresses, one a line" },
	{ "drop ",           "rules of Suricata or Snort: keep only the addresses, one a line" },
	{ "reject ",         "rules of Suricata or Snort: keep only the addresses, one a line" },
	{ "access-list",     "a configuration of a router: keep only the prefixes, one a line" },
	{ "ip access-list",  "a configuration of a router: keep only the prefixes, one a line" },
	{ "ip prefix-list",  "a configuration of a router: keep only the prefixes, one a line" },
	{ "ipv6 prefix-list", "a configuration of a router: keep only the prefixes, one a line" },
	{ "ip route",        "a configuration of a router: keep only the prefixes, one a line" },
	{ "object-group",    "a configuration of a router: keep only the prefixes, one a line" },
	{ "/ip firewall",    "a configuration of a router: keep only the prefixes, one a line" },
	{ "/ipv6 firewall",  "a configuration of a router: keep only the prefixes, one a line" },
	{ "default via",     "the output of 'ip route': keep only the prefixes, one a line" },
	{ "route:",          "objects of a registry (RPSL): keep only the prefixes, one a line" },
	{ "route6:",         "objects of a registry (RPSL): keep only the prefixes, one a line" },
	{ "inetnum:",        "objects of a registry (RPSL): keep only the ranges, one a line" },
	{ "inet6num:",       "objects of a registry (RPSL): keep only the prefixes, one a line" },
	{ "Status: ",        "the output of 'ufw status': keep only the addresses, one a line" },
	{ "Chain ",          "the output of 'iptables -L': keep only the addresses, one a line" },
	{ "Name: ",          "the output of 'ipset list': give the output of 'ipset save'" },
	{ "ALL:",            "a hosts.deny file: keep only the addresses, one a line" },
	{ "ALL :",           "a hosts.deny file: keep only the addresses, one a line" },
	{ "sshd:",           "a hosts.deny file: keep only the addresses, one a line" },
	{ "||",              "a filter list of a browser: give a list of addresses" },
	{ "@@",              "a filter list of a browser: give a list of addresses" },
	{ "[Adblock",        "a filter list of a browser: give a list of addresses" },
	{ "address=/",       "a file of dnsmasq: give a list of addresses" },
	{ "server=/",        "a file of dnsmasq: give a list of addresses" },
	{ "local-zone:",     "a file of unbound: give a list of addresses" },
	{ "http://",         "a list of URLs: give a list of addresses" },
	{ "https://",        "a list of URLs: give a list of addresses" },
	{ "hxxp",            "a list of URLs: give a list of addresses" },
	{ "404",             "an error of the server: check the URL" },
	{ "403",             "an error of the server: check the URL" },
	{ "Not Found",       "an error of the server: check the URL" },
	{ "Forbidden",       "an error of the server: check the URL" },
	{ "Error",           "an error of the server: check the URL" },
	{ "error",           "an error of the server: check the URL" },
	{ "Too many",        "an error of the server: ask it less often" },
	{ "Rate limit",      "an error of the server: ask it less often" },
	{ "You have exceeded", "an error of the server: ask it less often" },
	{ "curl: ",          "a message of curl: download it again" },
	{ "wget: ",          "a message of wget: download it again" },
	{ "%YAML",           "YAML: keep only the addresses, one a line" },
	{ "---",             "YAML: keep only the addresses, one a line" },
	{ "- ",              "YAML: keep only the addresses, one a line" },
	{ "{",               "JSON that is not one object with a \"cidr\" a line: print the addresses with jq, one a line" },
	{ "[{",              "JSON that is not one object with a \"cidr\" a line: print the addresses with jq, one a line" },
	{ "[\"",             "JSON that is not one object with a \"cidr\" a line: print the addresses with jq, one a line" },
	{ "[section",        "a file with sections: keep only the addresses, one a line" },
};

static const char *look_at_bytes(const char *text, size_t size)
{
	static const char mmdb[] = "\xab\xcd\xefMaxMind.com";

	for (const struct magic *m = magics; m < END_OF(magics, ELEMENTSOF(magics)); m++)
		if (size >= m->at + m->n_bytes && memcmp(text + m->at, m->bytes, m->n_bytes) == 0)
			return m->look;
	if (memmem(text, size, mmdb, sizeof(mmdb) - 1))
		return "a database of MaxMind: export the networks as text";
	if (size >= 2 && (!text[0] != !text[1]) && memchr("\t\n\r #0123456789", text[0] ?: text[1], 15))
		return "UTF-16 without a mark: convert it first, as with iconv -f UTF-16LE -t UTF-8";
	if (memchr(text, '\0', size < 512 ? size : 512))
		return "binary data: give the list as text";
	return NULL;
}

static bool has(struct word line, char c)
{
	return memchr(line.text, c, line.length) != NULL;
}

static size_t span(struct word line, const char *characters)
{
	size_t n = 0;

	while (n < line.length && line.text[n] && strchr(characters, line.text[n]))
		n++;
	return n;
}

/* Characters that addresses are made of, up to what comes after the first word. */
static bool starts_with_address(struct word line, char *ret_after)
{
	size_t n = span(line, "0123456789abcdefABCDEF.:/");
	struct word first = { line.text, n };

	*ret_after = n < line.length ? line.text[n] : '\0';
	return n > 2 && (has(first, '.') || has(first, ':')) && *line.text != '.';
}

static const char *look_at_line(struct word line)
{
	static const char digits[] = "0123456789";
	static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*";
	char after;

	for (size_t i = 0; i < ELEMENTSOF(starts); i++)
		if (line.length >= strlen(starts[i].start) &&
		    memcmp(line.text, starts[i].start, strlen(starts[i].start)) == 0)
			return starts[i].look;
	if (line.length == 0)
		return NULL;
	if (line.length == 1 && *line.text == '[')
		return "JSON that is not one object with a \"cidr\" a line: print the addresses with jq, one a line";
	if (*line.text == '[' && line.text[line.length - 1] == ']')
		return "a file with sections: keep only the addresses, one a line";
	if (has(line, '\r'))
		return "text whose lines end in CR alone: convert it first, as with tr '\\r' '\\n'";
	if (has(line, '|'))
		return "a table with '|' between its columns: keep only the addresses, as with cut -d'|'";
	if (has(line, '\t') && !has(line, ','))
		return "a table with tabs between its columns: keep only the addresses, as with cut -f1";
	if (*line.text == '"' && has(line, ':') && !has(line, ','))
		return "JSON that is not one object with a \"cidr\" a line: print the addresses with jq, one a line";
	if (has(line, ','))
		return "CSV: keep only the column with the addresses, as with cut -d, -f1";
	if (*line.text == '"' || *line.text == '\'')
		return "addresses in quotes: remove them, as with tr -d";
	if (has(line, ';'))
		return "CSV with semicolons, or an ACL: keep only the addresses, one a line";
	if (span(line, digits) == line.length)
		return "numbers: write addresses as 192.0.2.1";
	if (starts_with_address(line, &after)) {
		if (after == ' ')
			return "a hosts file, or a table with several columns: keep only the addresses, as with cut -d' ' -f1";
		if (after == '\0' && has(line, '.') && has(line, ':'))
			return "addresses with ports: remove the ports, as with cut -d: -f1";
		if (after == '\0' && span(line, "0123456789abcdefABCDEF:") == line.length)
			return "MAC addresses, or IPv6 addresses that are not whole: give IP addresses";
		if (after == '*')
			return "addresses with wildcards: write them as prefixes, such as 192.0.2.0/24";
	}
	if (span(line, name) == line.length && has(line, '.') && span(line, "0123456789.") < line.length)
		return "a list of names: give addresses, names are not looked up";
	return NULL;
}

const char *feed_look(const char *text, size_t size, const char *line, size_t length)
{
	const char *look = look_at_bytes(text, size);

	while (length > 0 && (is_blank(line[0]) || line[0] == '\r')) {
		line++;
		length--;
	}
	while (length > 0 && (is_blank(line[length - 1]) || line[length - 1] == '\r'))
		length--;
	return look ?: look_at_line((struct word) { line, length });
}
