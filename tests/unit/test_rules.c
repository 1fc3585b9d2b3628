/* Rule sets: each against an evaluator that follows the words of the rules, for a million packets, which lie on the
 * rules' own borders as often as not. */
#include "arena_unit.h"

#include <string.h>

#include "policy/rules.h"

#define SETS 2000u
#define PACKETS 500u
#define RULES_MAX 80u
#define PEERS_MAX 4u
#define EXCEPT_MAX 3u
#define SELECTORS_MAX 3u

static uint64_t seed = 0x9e3779b97f4a7c15u;

/* xorshift64*: the same sets in every run. */
static uint32_t random_below(uint32_t limit)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (uint32_t)((seed * 0x2545f4914f6cdd1du) >> 33) % limit;
}

/* ---- by the words ---- */

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & 0x80u >> i % 8)
			return false;
	return true;
}

static const uint8_t mapped_head[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t nat64_head[12] = { 0x00, 0x64, 0xff, 0x9b };

/* 16 bytes each, IPv4 as mapped: then there is one family only. */
static void widen(const struct cidr *cidr, uint8_t bytes[16], unsigned int *ret_prefix)
{
	memcpy(bytes, cidr->address, 16);
	*ret_prefix = cidr->prefix;
	if (cidr->is_v6)
		return;
	memcpy(bytes, mapped_head, 12);
	memcpy(bytes + 12, cidr->address, 4);
	*ret_prefix += 96;
}

static bool block_holds(const struct cidr *cidr, const uint8_t to[16])
{
	uint8_t bytes[16];
	unsigned int prefix;

	widen(cidr, bytes, &prefix);
	/* IPv4 isn't a part of ::/0 */
	if (prefix < 96 && !memcmp(to, mapped_head, 12))
		return false;
	return bits_equal(bytes, to, prefix);
}

static bool peer_holds(const struct net_peer *peer, const uint8_t to[16])
{
	if (!block_holds(&peer->block, to))
		return false;
	for (size_t i = 0; i < peer->except_count; i++)
		if (block_holds(&peer->except[i], to))
			return false;
	return true;
}

static bool selector_holds(const struct net_selector *s, const struct net_packet *packet)
{
	bool in_range = !s->first_port || (packet->port >= s->first_port && packet->port <= s->last_port);

	switch (s->protocol) {
	case SELECT_ANY: return s->first_port ? packet->protocol <= NET_UDP && in_range : true;
	case SELECT_TCP: return packet->protocol == NET_TCP && in_range;
	case SELECT_UDP: return packet->protocol == NET_UDP && in_range;
	default: return packet->protocol == NET_ICMP;
	}
}

static bool rule_holds(const struct net_rule *rule, const struct net_packet *packet, const uint8_t to[16])
{
	bool has_peer = rule->peer_count == 0, has_selector = rule->selector_count == 0;

	for (size_t i = 0; i < rule->peer_count && !has_peer; i++)
		has_peer = peer_holds(&rule->peers[i], to);
	for (size_t i = 0; i < rule->selector_count && !has_selector; i++)
		has_selector = selector_holds(&rule->selectors[i], packet);
	return has_peer && has_selector;
}

static bool naive_allow(const struct net_rule *rules, size_t count, bool by_default, const struct net_packet *packet,
			const uint8_t to[16])
{
	uint8_t behind_nat[16];
	bool is_nat64 = !memcmp(to, nat64_head, 12), allowed = by_default;

	memcpy(behind_nat, mapped_head, 12);
	memcpy(behind_nat + 12, to + 12, 4);
	for (size_t i = 0; i < count; i++)
		if (!rules[i].allows &&
		    (rule_holds(&rules[i], packet, to) || (is_nat64 && rule_holds(&rules[i], packet, behind_nat))))
			return false;
	for (size_t i = 0; i < count; i++)
		allowed |= rules[i].allows && rule_holds(&rules[i], packet, to);
	return allowed;
}

/* ---- by chance ---- */

struct random_rules {
	struct net_rule rules[RULES_MAX];
	struct net_peer peers[RULES_MAX][PEERS_MAX];
	struct cidr except[RULES_MAX][PEERS_MAX][EXCEPT_MAX];
	struct net_selector selectors[RULES_MAX][SELECTORS_MAX];
	size_t count;
};

static void clear_host_bits(struct cidr *cidr)
{
	for (unsigned int i = cidr->prefix; i < (cidr->is_v6 ? 128u : 32u); i++)
		cidr->address[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

/* From a small world, so that blocks meet. */
static struct cidr random_block(void)
{
	struct cidr cidr = { .is_v6 = random_below(2) };
	size_t len = cidr.is_v6 ? 16 : 4;

	for (size_t i = 0; i < len; i++)
		cidr.address[i] = random_below(4) ? 0 : random_below(2) ? 0xff : (uint8_t)random_below(256);
	cidr.prefix = random_below((uint32_t)len * 8 + 1);
	if (cidr.is_v6 && random_below(3) == 0) {
		memcpy(cidr.address, random_below(2) ? mapped_head : nat64_head, 12);
		cidr.prefix = 96 + random_below(33);
	}
	clear_host_bits(&cidr);
	return cidr;
}

static struct cidr random_part(const struct cidr *whole)
{
	struct cidr part = *whole, noise = random_block();
	unsigned int bits = whole->is_v6 ? 128 : 32;

	part.prefix += random_below(bits - whole->prefix + 1);
	for (unsigned int i = whole->prefix; i < bits; i++)
		part.address[i / 8] |= noise.address[i / 8] & (uint8_t)(0x80u >> i % 8);
	clear_host_bits(&part);
	return part;
}

static struct net_selector random_selector(void)
{
	struct net_selector s = { .protocol = random_below(4) };

	if (s.protocol != SELECT_ICMP && random_below(3)) {
		s.first_port = (uint16_t)(random_below(2) ? 1 + random_below(8) : 65530 + random_below(6));
		s.last_port = (uint16_t)(s.first_port + random_below(65536u - s.first_port < 6 ? 65536u - s.first_port : 6));
	}
	return s;
}

static void make_rules(struct random_rules *all)
{
	/* one set in eight is long enough to be merged */
	all->count = random_below(8) ? random_below(6) : RULES_MAX;
	for (size_t i = 0; i < all->count; i++) {
		struct net_rule *rule = &all->rules[i];

		*rule = (struct net_rule){ "rule", all->count == RULES_MAX ? i > 0 : random_below(2), all->peers[i],
					   random_below(PEERS_MAX + 1), all->selectors[i], random_below(SELECTORS_MAX + 1) };
		for (size_t j = 0; j < rule->peer_count; j++) {
			struct net_peer *peer = &all->peers[i][j];

			do
				*peer = (struct net_peer){ random_block(), all->except[i][j], random_below(EXCEPT_MAX + 1) };
			while (peer->block.is_v6 && peer->block.prefix < 96 &&
			       bits_equal(peer->block.address, mapped_head, peer->block.prefix));
			for (size_t k = 0; k < peer->except_count; k++)
				all->except[i][j][k] = random_part(&peer->block);
		}
		for (size_t j = 0; j < rule->selector_count; j++)
			all->selectors[i][j] = random_selector();
	}
}

static void step(uint8_t to[16], int by)
{
	for (int i = 15; i >= 0; i--) {
		int value = to[i] + by;

		to[i] = (uint8_t)value;
		if (value >= 0 && value <= 255)
			return;
		by = value < 0 ? -1 : 1;
	}
}

/* Mostly the first or last address of some block, or its neighbour. */
static void random_destination(const struct random_rules *all, uint8_t to[16])
{
	struct cidr block = random_block();
	unsigned int prefix;

	if (all->count && random_below(8)) {
		size_t i = random_below((uint32_t)all->count);
		size_t j = all->rules[i].peer_count ? random_below((uint32_t)all->rules[i].peer_count) : 0;
		const struct net_peer *peer = &all->peers[i][j];

		if (all->rules[i].peer_count)
			block = peer->except_count && random_below(2) ? peer->except[0] : peer->block;
	}
	widen(&block, to, &prefix);
	if (random_below(2))
		for (unsigned int i = prefix; i < 128; i++)
			to[i / 8] |= (uint8_t)(0x80u >> i % 8);
	step(to, (int)random_below(3) - 1);
	if (random_below(8) == 0 && !memcmp(to, mapped_head, 12))
		memcpy(to, nat64_head, 12);
}

static struct net_packet packet_to(const uint8_t to[16])
{
	struct cidr cidr = { .is_v6 = true, .prefix = 128 };
	struct net_packet packet = { .protocol = random_below(4) };

	memcpy(cidr.address, to, 16);
	packet.family = net_address_of(&cidr, &packet.to);
	if (packet.protocol <= NET_UDP)
		packet.port = (uint16_t)(random_below(2) ? random_below(16) : 65528 + random_below(8));
	/* the other spelling of the same */
	if (packet.family == NET_V4 && random_below(2)) {
		packet.family = NET_V6;
		packet.to.low |= UINT64_C(0xffff) << 32;
	}
	return packet;
}

static void agrees_with_the_words(void **state)
{
	static struct random_rules all;
	unsigned long verdicts[2] = { 0 };

	(void)state;
	for (unsigned int i = 0; i < SETS; i++) {
		struct arena *own = arena_new();
		struct net_rules rules;
		bool by_default = random_below(2);

		make_rules(&all);
		assert_int_equal(net_rules_build(own, all.rules, all.count, by_default, &rules), 0);
		for (unsigned int j = 0; j < PACKETS; j++) {
			uint8_t to[16];
			struct net_packet packet;
			bool expected;

			random_destination(&all, to);
			packet = packet_to(to);
			expected = naive_allow(all.rules, all.count, by_default, &packet, to);
			assert_int_equal(net_rules_allow(&rules, &packet), expected);
			if (expected && packet.protocol == NET_ICMP)
				assert_true(net_rule_sets_may_pass_icmp(&(struct net_rule_sets){ &rules, 1 }));
			verdicts[expected]++;
		}
		arena_free(own);
	}
	/* neither verdict is a rarity, else this would prove little */
	assert_true(verdicts[0] > SETS * PACKETS / 5 && verdicts[1] > SETS * PACKETS / 5);
}

/* ---- by example ---- */

static struct cidr block_of(const char *text)
{
	struct cidr cidr;

	assert_true(cidr_parse(text, &cidr));
	return cidr;
}

static void except_is_taken_out(void **state)
{
	const struct cidr except[] = { block_of("10.9.8.0/24"), block_of("10.9.9.0/24"), block_of("10.9.255.0/24") };
	const struct net_peer peer = { block_of("10.9.0.0/16"), except, 3 };
	const struct net_rule rule = { "r", true, &peer, 1, NULL, 0 };
	struct net_rules rules;

	(void)state;
	assert_int_equal(net_rules_build(arena, &rule, 1, false, &rules), 0);
	assert_int_equal(rules.groups[0].to[NET_V4].count, 2);
	assert_int_equal(rules.groups[0].to[NET_V4].items[0].last.low, 0x0a0907ff);
	assert_int_equal(rules.groups[0].to[NET_V4].items[1].first.low, 0x0a090a00);
	assert_int_equal(rules.groups[0].to[NET_V4].items[1].last.low, 0x0a09feff);
	assert_int_equal(rules.groups[0].to[NET_V6].count, 0);
}

static void an_exception_of_everything_leaves_nothing(void **state)
{
	const struct cidr all = block_of("::/0");
	const struct net_peer peer = { all, &all, 1 };
	const struct net_rule rule = { "r", true, &peer, 1, NULL, 0 };
	struct net_rules rules;

	(void)state;
	assert_int_equal(net_rules_build(arena, &rule, 1, false, &rules), 0);
	assert_int_equal(rules.groups[0].to[NET_V6].count, 0);
}

static void long_lists_become_one_group(void **state)
{
	static struct net_peer peers[300];
	static struct net_rule list[300];
	struct net_rules rules;

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		peers[i].block = (struct cidr){ .address = { 10, (uint8_t)(i >> 8), (uint8_t)i, 0 }, .prefix = 25 };
		list[i] = (struct net_rule){ "egress.allow[0]", true, &peers[i], 1, NULL, 0 };
	}
	assert_int_equal(net_rules_build(arena, list, 64, false, &rules), 0);
	assert_int_equal(rules.count, 64);
	assert_int_equal(net_rules_build(arena, list, 300, false, &rules), 0);
	assert_int_equal(rules.count, 1);
	assert_int_equal(rules.groups[0].to[NET_V4].count, 300);
	assert_string_equal(rules.groups[0].name, "egress.allow[0] and 299 more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_words),
		cmocka_unit_test_setup_teardown(except_is_taken_out, setup, teardown),
		cmocka_unit_test_setup_teardown(an_exception_of_everything_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(long_lists_become_one_group, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
