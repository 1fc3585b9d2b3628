/* net_policy.c - see net_policy.h. */
#include "policy/net_policy.h"

#include <arpa/inet.h>
#include <errno.h>

size_t net_address_bytes(enum net_family family, struct net_address address, uint8_t bytes[16])
{
	size_t len = NET_ADDRESS_LEN(family);

	for (size_t i = 0; i < len; i++) {
		size_t shift = (len - 1 - i) * 8;

		bytes[i] = (uint8_t)(shift >= 64 ? address.high >> (shift - 64) : address.low >> shift);
	}
	return len;
}

const char *net_address_text(enum net_family family, struct net_address address, char text[NET_ADDRESS_TEXT])
{
	uint8_t bytes[16];

	(void)net_address_bytes(family, address, bytes);
	return inet_ntop(family == NET_V4 ? AF_INET : AF_INET6, bytes, text, NET_ADDRESS_TEXT);
}

static int copy_items(struct arena *arena, const void *items, size_t count, size_t size, void *ret)
{
	void *copy = count ? arena_memdup(arena, items, count * size) : NULL;

	*(void **)ret = copy;
	return count && !copy ? -ENOMEM : 0;
}

static int copy_text(struct arena *arena, const char *text, const char **ret)
{
	*ret = arena_strdup(arena, text);
	return text && !*ret ? -ENOMEM : 0;
}

static int copy_words(struct arena *arena, const char *const **words)
{
	const char **copy;
	size_t count = 0;

	if (!*words)
		return 0;
	while ((*words)[count])
		count++;
	copy = arena_array(arena, count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++)
		if (copy_text(arena, (*words)[i], &copy[i]) < 0)
			return -ENOMEM;
	*words = copy;
	return copy ? 0 : -ENOMEM;
}

static int copy_group(struct arena *arena, struct net_group *group)
{
	int r = copy_text(arena, group->name, &group->name);

	for (size_t i = 0; i < array_size(group->ports) && r == 0; i++)
		r = copy_items(arena, group->ports[i].items, group->ports[i].count, sizeof(*group->ports[i].items),
			       &group->ports[i].items);
	for (size_t i = 0; i < NET_FAMILIES && r == 0; i++)
		r = copy_items(arena, group->to[i].items, group->to[i].count, sizeof(*group->to[i].items),
			       &group->to[i].items);
	return r;
}

static int copy_rules(struct arena *arena, struct net_rules *rules)
{
	int r = copy_text(arena, rules->carrier, &rules->carrier);

	if (r == 0)
		r = copy_items(arena, rules->groups, rules->count, sizeof(*rules->groups), &rules->groups);
	for (size_t i = 0; i < rules->count && r == 0; i++)
		r = copy_group(arena, &rules->groups[i]);
	return r;
}

int net_policy_copy(struct arena *arena, const struct net_policy *policy, struct net_policy *ret)
{
	int r;

	*ret = *policy;
	r = copy_items(arena, policy->egress.items, policy->egress.count, sizeof(*policy->egress.items),
		       &ret->egress.items);
	for (size_t i = 0; i < policy->egress.count && r == 0; i++)
		r = copy_rules(arena, &ret->egress.items[i]);
	if (r == 0)
		r = copy_items(arena, policy->mappings, policy->mapping_count, sizeof(*policy->mappings), &ret->mappings);
	for (size_t i = 0; i < policy->mapping_count && r == 0; i++)
		r = copy_text(arena, policy->mappings[i].pointer, &ret->mappings[i].pointer);
	if (r == 0)
		r = copy_text(arena, policy->proxy.url, &ret->proxy.url);
	if (r == 0)
		r = copy_words(arena, &ret->proxy.test.allowed);
	if (r == 0)
		r = copy_words(arena, &ret->proxy.test.blocked);
	if (r == 0)
		r = copy_text(arena, policy->proxy.pointer, &ret->proxy.pointer);
	return r == 0 ? copy_text(arena, policy->pointer, &ret->pointer) : r;
}
