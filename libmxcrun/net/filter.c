/* filter.c - a policy as a table of nf_tables.
 *
 * One `inet` table. Chain "output" accepts what stays on loopback and what belongs to a connection that was let
 * through, and goes to the chain of the packet's family. That refuses the ways to the host's loopback, asks the chain of
 * each rule set, and accepts what came back from all: there each group of the
 * set is a rule for each of its protocols and port ranges, with its addresses in an interval set, so that ten thousand
 * blocks cost a packet one look-up. Denials go to a chain of their own that records the destination and refuses
 * it. "input" lets in replies, and where the policy says so new connections; "forward" nothing. "resolver" comes before
 * all of them, and before address translation (filter_rules.c).
 *
 * All hooks drop by policy: a packet that no rule understands does not pass.
 */
#include "net/filter.h"

#include <errno.h>
#include <netinet/in.h> /* musl's comes before the kernel's */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <string.h>

#include "net/filter_parts.h"

#define RULES_MAX 8192u

/* ---- names ---- */

const char *const filter_family_chain[NET_FAMILIES] = { "egress4", "egress6" };

void filter_set_chain(char name[FILTER_NAME_SIZE], size_t set, enum net_family family)
{
	snprintf(name, FILTER_NAME_SIZE, "rules%zu-%s", set, family == NET_V4 ? "v4" : "v6");
}

void filter_name_rule(char name[RULE_COMMENT_MAX + 1], const struct net_rules *rules, size_t group)
{
	const char *rule = group == rules->count ? FILTER_DEFAULT : rules->groups[group].name;
	size_t len = strlen(rule) + strlen(": "), room = RULE_COMMENT_MAX > len ? RULE_COMMENT_MAX - len : 0;
	const char *carrier = rules->carrier;

	if (carrier && strlen(carrier) > room)
		carrier += strlen(carrier) - room;
	snprintf(name, RULE_COMMENT_MAX + 1, "%s%s%s", carrier ? carrier : "", carrier ? ": " : "", rule);
}

/* ---- chains ---- */

static void open_chain(struct filter *f, const char *name)
{
	nft_begin(&f->out.batch, NFT_MSG_NEWCHAIN, 0);
	nft_put_text(&f->out.batch, NFTA_CHAIN_TABLE, f->out.batch.table);
	nft_put_text(&f->out.batch, NFTA_CHAIN_NAME, name);
}

static void add_hook(struct filter *f, const char *name, uint32_t hook, int32_t priority)
{
	open_chain(f, name);
	nft_open(&f->out.batch, NFTA_CHAIN_HOOK);
	nft_put_u32(&f->out.batch, NFTA_HOOK_HOOKNUM, hook);
	nft_put_u32(&f->out.batch, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	nft_close(&f->out.batch);
	nft_put_u32(&f->out.batch, NFTA_CHAIN_POLICY, NF_DROP);
	nft_put_text(&f->out.batch, NFTA_CHAIN_TYPE, "filter");
	nft_end(&f->out.batch);
	f->out.sum.hooks++;
}

static void add_chain(struct filter *f, const char *name)
{
	open_chain(f, name);
	nft_end(&f->out.batch);
}

static void add_refusal_chain(struct filter *f, size_t number, const char *name)
{
	char chain[FILTER_NAME_SIZE];

	(void)name;
	filter_refusal_chain(chain, number);
	add_chain(f, chain);
}

static void add_chains(struct filter *f)
{
	char name[FILTER_NAME_SIZE];

	if (f->network->judges_resolver)
		add_hook(f, FILTER_RESOLVER_CHAIN, NF_INET_LOCAL_OUT, NF_IP_PRI_MANGLE);
	add_hook(f, "output", NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER);
	add_hook(f, "input", NF_INET_LOCAL_IN, NF_IP_PRI_FILTER);
	add_hook(f, "forward", NF_INET_FORWARD, NF_IP_PRI_FILTER);
	for (enum net_family family = NET_V4; family < NET_FAMILIES; family++) {
		add_chain(f, filter_family_chain[family]);
		for (size_t i = 0; i < f->network->egress.count; i++) {
			filter_set_chain(name, i, family);
			add_chain(f, name);
		}
	}
	filter_visit_denials(f, add_refusal_chain);
}

/* ---- the table ---- */

static void add_table(struct filter *f)
{
	nft_begin(&f->out.batch, NFT_MSG_NEWTABLE, NLM_F_EXCL);
	nft_put_text(&f->out.batch, NFTA_TABLE_NAME, f->out.batch.table);
	nft_end(&f->out.batch);
}

/* Sets first: they may take several batches, where the kernel takes no long ones, and have no effect before the last. */
static void build(struct filter *f)
{
	add_table(f);
	filter_add_refusal_sets(f);
	for (size_t i = 0; i < f->network->egress.count; i++)
		for (size_t j = 0; j < f->network->egress.items[i].count; j++)
			filter_add_group_sets(f, (struct filter_group){ i, j });
	nft_allow_cut(&f->out.batch);
	add_chains(f);
	filter_add_output(f);
	filter_add_refusals(f);
	filter_add_input(f);
}

static int explain(const struct filter *f, int errnum, struct err **err)
{
	int r = err_sys(err, E_NETWORK, errnum, "nf_tables, table", f->out.batch.table, f->network->pointer);

	if (errnum == EOPNOTSUPP || errnum == EPROTONOSUPPORT || errnum == ENOENT)
		err_hint(err, "the kernel needs CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_CT and CONFIG_NFT_REJECT_INET");
	if (errnum == EMSGSIZE)
		err_hint(err, "raise the sysctl net.core.wmem_max, or start as root");
	return r;
}

static int load(int fd, struct filter *f, struct err **err)
{
	int r;

	build(f);
	if (f->out.sum.rule_count > RULES_MAX)
		return err_set(err, E_POLICY, E2BIG, f->network->pointer,
			       "the rules name too many different protocols and ports: %zu filter rules, at most %u", f->out.sum.rule_count,
			       RULES_MAX);
	r = nft_send(fd, &f->out.batch);
	if (r == -ENOMEM && f->out.batch.data.failed)
		return err_nomem(err);
	return r < 0 ? explain(f, -r, err) : filter_check(fd, f->out.batch.table, &f->out.sum, f->network, err);
}

void filter_table_name(char name[FILTER_TABLE_SIZE], const char *id)
{
	/* an id is at most as long as the name of a file, so its end is what tells long ones apart */
	size_t len = strlen(id), room = FILTER_TABLE_SIZE - sizeof("mxcrun-");

	snprintf(name, FILTER_TABLE_SIZE, "mxcrun-%s", len > room ? id + len - room : id);
}

int filter_load(int fd, const char *table, const struct net_policy *network, struct err **err)
{
	struct filter f = { .network = network };
	int r;

	nft_start(&f.out.batch, table, nft_limit(fd));
	r = load(fd, &f, err);
	nft_done(&f.out.batch);
	return r;
}

int filter_unload(int fd, const char *table)
{
	cleanup_nft struct nft_batch batch;
	int r;

	nft_start(&batch, table, nft_limit(fd));
	nft_begin(&batch, NFT_MSG_DELTABLE, 0);
	nft_put_text(&batch, NFTA_TABLE_NAME, table);
	nft_end(&batch);
	r = nft_send(fd, &batch);
	return r == -ENOENT ? 0 : r;
}
