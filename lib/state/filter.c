// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * Which bits a prefix sets. Two of its blocks may share a word, and words may have bits that are not needed any more; both
 * only make the kernel look in the table once in vain.
 */

#include <string.h>

#include "abi/filter-bits.h"
#include "state/filter.h"

#define WORDS_STEP 512 /* a page */
#define WORDS_MAX  (UINT32_C(1) << 28)

/*
 * Keys for each word of a new filter. IPv4: 1 stranger in 40 is looked up in vain, and a million mixed entries take
 * 2 MiB: what does not fit the caches costs more than that. IPv6 has more lengths to ask for, each of them in vain at times.
 */
static const uint64_t keys_per_word[] = { [FW_KIND_IPV4] = 5, [FW_KIND_IPV6] = 2 };

struct fw_filter filter_header_for(enum fw_kind kind, uint64_t n_keys)
{
	uint64_t n = (n_keys / keys_per_word[kind] / WORDS_STEP + 1) * WORDS_STEP;

	return (struct fw_filter){ .n_words = n < WORDS_MAX ? n : WORDS_MAX };
}

uint64_t filter_keys_at_most(enum fw_kind kind, const struct fw_filter *header)
{
	return header->n_words * keys_per_word[kind] * 3 / 2;
}

size_t filter_n_words(enum fw_kind kind, const struct fw_filter *header)
{
	return header->n_words + (size_t)(kind == FW_KIND_IPV4 ? FILTER_MIDDLE4_WORDS : 0);
}

/* There is one writer (I10). Its stores must not wait for each other, as those of a locked instruction do. */
static void set_bits(uint64_t *word, uint64_t bits)
{
	__atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) | bits, __ATOMIC_RELAXED);
}

static void set_cells(struct filter *f, unsigned top16, unsigned length, unsigned bits)
{
	unsigned n = length < 16 ? 1u << (16 - length) : 1;

	for (unsigned i = top16; i < top16 + n; i++)
		set_bits((uint64_t *)&f->cells->words[i / FW_CELLS_PER_WORD],
			 (uint64_t)bits << (i % FW_CELLS_PER_WORD * 2));
}

static uint64_t *word_of(struct filter *f, uint64_t x)
{
	return &f->words[filter_index(x, f->header.n_words)];
}

/* A length that ends in the block: on all the blocks it covers. */
static void add_blocks(struct filter *f, uint64_t bits, unsigned length, unsigned block)
{
	uint64_t n = UINT64_C(1) << (block - length), x, at;

	for (uint64_t i = bits; i < bits + n; i++) {
		x = filter_hash(i, f->header.seed);
		at = FILTER_LENGTHS_AT(x) + (block - length);
		set_bits(word_of(f, x), FILTER_ANY(x) | UINT64_C(1) << (at % 64));
	}
}

/* At most eight /20 side by side: in one word of the bitmap. */
static void add_middle(struct filter *f, uint32_t addr, unsigned length)
{
	uint64_t blocks = (UINT64_C(1) << (1u << (FILTER_MIDDLE4 - length))) - 1;

	set_bits(&f->words[f->header.n_words + FILTER_MIDDLE4_WORD(addr)], blocks << FILTER_MIDDLE4_BIT(addr));
}

static void add_ip4(struct filter *f, uint32_t addr, unsigned length)
{
	unsigned host_bits = 32 - length;
	uint64_t x, y;

	if (length <= FILTER_SHORT4) {
		set_cells(f, addr >> 16, length, FW_CELL_SHORT);
		return;
	}
	if (f->words && length <= FILTER_MIDDLE4) {
		add_middle(f, addr, length);
	} else if (f->words && length <= FILTER_BLOCK4) {
		add_blocks(f, addr >> (32 - FILTER_BLOCK4), length, FILTER_BLOCK4);
	} else if (f->words) {
		x = filter_hash(addr >> (32 - FILTER_BLOCK4), f->header.seed);
		y = filter_mix(x, addr & 0xff, host_bits);
		set_bits(word_of(f, x), FILTER_LONG(y) | (host_bits ? FILTER_INSIDE(x) : 0));
	}
	/* last: the cell is what makes the kernel read the word */
	set_cells(f, addr >> 16, 16, FW_CELL_LONG);
}

/* The hash of the block in whose word the prefix is, if it is not spread; and the bits that say that there is any. */
static uint64_t block6(struct prefix_halves h, unsigned length, uint64_t seed, uint64_t *ret_any)
{
	uint64_t x;

	if (length <= FILTER_UPPER6)
		x = filter_hash(h.high >> (64 - FILTER_TOP6), FILTER_SEED_TOP6(seed));
	else if (length < FILTER_DEEP6)
		x = filter_hash(h.high >> (64 - FILTER_BLOCK6), seed);
	else
		x = filter_hash(h.high >> (64 - FILTER_DEEP6), FILTER_SEED_DEEP6(seed));
	*ret_any = length >= FILTER_DEEP6 && length <= 64 ? FILTER_UP_TO_64(x) : FILTER_INSIDE(x);
	return x;
}

static bool is_spread6(unsigned length)
{
	return length > FILTER_UPPER6 && length <= FILTER_BLOCK6;
}

static void add_ip6(struct filter *f, struct prefix_halves h, unsigned length)
{
	unsigned host_bits = 128 - length;
	uint64_t x, y, any;

	if (length <= FILTER_SHORT6) {
		set_cells(f, h.high >> 48, length, FW_CELL_SHORT);
		return;
	}
	if (f->words && is_spread6(length)) {
		add_blocks(f, h.high >> (64 - FILTER_BLOCK6), length, FILTER_BLOCK6);
	} else if (f->words) {
		x = block6(h, length, f->header.seed, &any);
		y = filter_mix(x, filter_digest6(h.high, h.low, host_bits), host_bits);
		set_bits(word_of(f, x), FILTER_LONG(y) | any);
	}
	set_cells(f, h.high >> 48, 16, FW_CELL_LONG);
}

void filter_add(struct filter *f, const struct prefix *p)
{
	struct prefix_halves h = prefix_to_halves(p);

	if (p->family == AF_INET)
		add_ip4(f, h.high, p->length);
	else
		add_ip6(f, h, p->length);
}

uint64_t filter_keys(const struct prefix *p)
{
	bool is_ip4 = p->family == AF_INET;

	if (p->length <= (is_ip4 ? FILTER_SHORT4 : FILTER_SHORT6))
		return 0;
	if (is_ip4 && p->length > FILTER_MIDDLE4 && p->length <= FILTER_BLOCK4)
		return UINT64_C(1) << (FILTER_BLOCK4 - p->length);
	if (!is_ip4 && is_spread6(p->length))
		return UINT64_C(1) << (FILTER_BLOCK6 - p->length);
	return 1;
}

static bool maybe_long(uint64_t word, uint64_t x, uint64_t digest, unsigned host_bits)
{
	return filter_has(word, FILTER_LONG(filter_mix(x, digest, host_bits)));
}

static bool maybe_block(uint64_t word, uint64_t x, unsigned length, unsigned block)
{
	return filter_has(word, FILTER_ANY(x)) &&
	       filter_rotate(word, FILTER_LENGTHS_AT(x)) >> (block - length) & 1;
}

static bool maybe_ip4(const struct filter *f, uint32_t addr, unsigned length)
{
	unsigned host_bits = 32 - length;
	uint64_t x, word;

	if (length <= FILTER_MIDDLE4)
		return f->words[f->header.n_words + FILTER_MIDDLE4_WORD(addr)] >> FILTER_MIDDLE4_BIT(addr) & 1;
	x = filter_hash(addr >> (32 - FILTER_BLOCK4), f->header.seed);
	word = f->words[filter_index(x, f->header.n_words)];
	if (length <= FILTER_BLOCK4)
		return maybe_block(word, x, length, FILTER_BLOCK4);
	return (!host_bits || filter_has(word, FILTER_INSIDE(x))) &&
	       maybe_long(word, x, addr & 0xff & ~UINT64_C(0) << host_bits, host_bits);
}

static bool maybe_ip6(const struct filter *f, struct prefix_halves h, unsigned length)
{
	unsigned host_bits = 128 - length;
	uint64_t any, x, word;

	if (is_spread6(length)) {
		x = filter_hash(h.high >> (64 - FILTER_BLOCK6), f->header.seed);
		return maybe_block(f->words[filter_index(x, f->header.n_words)], x, length, FILTER_BLOCK6);
	}
	x = block6(h, length, f->header.seed, &any);
	word = f->words[filter_index(x, f->header.n_words)];
	return filter_has(word, any) && maybe_long(word, x, filter_digest6(h.high, h.low, host_bits), host_bits);
}

bool filter_maybe(const struct filter *f, const struct prefix *address, unsigned length)
{
	struct prefix_halves h = prefix_to_halves(address);
	bool is_ip4 = address->family == AF_INET;
	unsigned top16 = is_ip4 ? h.high >> 16 : h.high >> 48;
	unsigned cell = f->cells->words[top16 / FW_CELLS_PER_WORD] >> (top16 % FW_CELLS_PER_WORD * 2) & 3;

	if (length <= (is_ip4 ? FILTER_SHORT4 : FILTER_SHORT6))
		return cell & FW_CELL_SHORT;
	if (!(cell & FW_CELL_LONG))
		return false;
	if (!f->words)
		return true;
	return is_ip4 ? maybe_ip4(f, h.high, length) : maybe_ip6(f, h, length);
}
