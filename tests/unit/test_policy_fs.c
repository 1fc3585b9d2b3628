/* test_policy_fs.c - what a policy comes to on made-up hosts: the file system's tree first, then
 * network, containment and process. */
#include "mxc_unit.h"

#include "policy/path_index.h"

#define RW(paths) "'readwritePaths':[" paths "]"
#define RO(paths) "'readonlyPaths':[" paths "]"
#define NO(paths) "'deniedPaths':[" paths "]"

static const char *const intent_marks[] = {
	[INTENT_DENIED] = "no", [INTENT_READONLY] = "ro", [INTENT_READWRITE] = "rw"
};

/* "rw /d; no /d/x*; ro /d/x/y <- /real/y": a star for re-opened, a source where it is another path.
 */
static const char *entries_text(struct world *w)
{
	const struct policy_filesystem *fs = &w->decisions->filesystem;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	for (i = 0; i < fs->entry_count; i++) {
		const struct policy_entry *e = &fs->entries[i];

		strbuf_printf(&text, "%s%s %s%s", i ? "; " : "", intent_marks[e->intent],
			      e->destination, e->is_reopened ? "*" : "");
		if (e->intent != INTENT_DENIED && strcmp(e->source, e->destination) != 0)
			strbuf_printf(&text, " <- %s", e->source);
	}
	return arena_strdup(w->arena, strbuf_str(&text));
}

struct tree {
	const char *lists, *entries;
};

static void check_trees(const struct fake_file *files, size_t file_count, const struct tree *trees,
			size_t count)
{
	struct world w;
	size_t i;

	for (i = 0; i < count; i++) {
		world_init(&w);
		world_files(&w, files, file_count);
		world_accept(&w, arena_printf(w.arena, MXC("1.0.0", "'filesystem':{%s},"),
					      trees[i].lists));
		if (strcmp(entries_text(&w), trees[i].entries) != 0)
			print_error("%s\n", trees[i].lists);
		assert_string_equal(entries_text(&w), trees[i].entries);
		world_done(&w);
	}
}

/* MXC.md 6.4. */
static void test_order(void **state)
{
	static const struct tree trees[] = {
		{ "", "" },
		{ NO("'/d'") "," RW("'/d/a'"), "no /d*; rw /d/a" },
		{ RW("'/d'") "," NO("'/d/x'") "," RO("'/d/x/y'"), "rw /d; no /d/x*; ro /d/x/y" },
		/* however the lists are written */
		{ RO("'/d/x/y'") "," RW("'/d'") "," NO("'/d/x'"), "rw /d; no /d/x*; ro /d/x/y" },
		{ RW("'/t/a/b/c'") "," RO("'/t'"), "ro /t; rw /t/a/b/c" },
		{ RW("'/b','/a'") "," RO("'/c'") "," NO("'/0'"), "rw /b; rw /a; ro /c; no /0" },
		{ RW("'/a/b','/c'") "," RO("'/a'"), "rw /c; ro /a; rw /a/b" },
		/* a name is not the beginning of another one */
		{ NO("'/d'") "," RW("'/d-x','/dx'"), "rw /d-x; rw /dx; no /d" },
		/* depth is the number of components */
		{ RW("'//x///y//'") "," RO("'/z'"), "ro /z; rw /x/y" },
	};

	(void)state;
	check_trees(NULL, 0, trees, array_size(trees));
}

static void test_same_path(void **state)
{
	static const struct tree trees[] = {
		{ RW("'/d'") "," NO("'/d'"), "no /d" },
		{ RW("'/d'") "," RO("'/d/'"), "ro /d" },
		{ RW("'/d','/e','/d'") "," RO("'/e'") "," NO("'/d'"), "ro /e; no /d" },
		{ RW("'/d','/d'"), "rw /d" },
		{ RO("'/d/../e'") "," RW("'/e'"), "ro /e" },
		{ RW("'x','/work/x/y'") "," NO("'x'"), "no /work/x*; rw /work/x/y" },
	};
	struct world w;

	(void)state;
	check_trees(NULL, 0, trees, array_size(trees));
	world_init(&w);
	world_accept(&w, MXC_FS(RW("'/d'") "," NO("'/d'")));
	assert_non_null(strstr(strbuf_str(&w.lines), "applying most-restrictive intent"));
	world_done(&w);
}

/* One object by several names: MXC.md 6.7. */
static void test_identity(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "/link", .canonical = "/secret", .ino = 7 },
		{ .path = "/secret", .ino = 7 },
		{ .path = "/bound", .ino = 7 },
		{ .path = "/f1", .ino = 8, .mode = S_IFREG },
		{ .path = "/f2", .ino = 8, .mode = S_IFREG },
	};
	static const struct tree trees[] = {
		{ RW("'/link'") "," NO("'/secret'"), "no /secret" },
		{ RW("'/secret'") "," NO("'/link'"), "no /secret" },
		{ RW("'/bound'") "," NO("'/secret'"), "no /bound; no /secret" },
		{ RW("'/bound','/secret'") "," RO("'/link'"),
		  "ro /bound; ro /secret; ro /link <- /secret" },
		{ RW("'/f1'") "," NO("'/f2'"), "no /f1; no /f2" },
		{ RW("'/link'"), "rw /link <- /secret" },
	};
	struct world w;

	(void)state;
	check_trees(files, array_size(files), trees, array_size(trees));
	world_init(&w);
	world_files(&w, files, array_size(files));
	world_accept(&w, MXC_FS(RO("'/f1'") "," NO("'/secret'")));
	assert_false(w.decisions->filesystem.entries[0].is_directory);
	assert_true(w.decisions->filesystem.entries[1].is_directory);
	assert_int_equal(w.decisions->filesystem.entries[0].ino, 8);
	assert_string_equal(w.decisions->filesystem.entries[1].pointer,
			    "/filesystem/deniedPaths/0");
	world_done(&w);
}

/* The folders between what is restricted and what can be written to around it. */
static void test_pins(void **state)
{
	static const struct fake_file files[] = { { .path = "/l", .canonical = "/a" }, { .path = "/a/out/d", .canonical = "/e/d" } };
	static const struct tree trees[] = {
		{ RW("'/a'") "," NO("'/a/b'"), "rw /a; no /a/b" },
		{ RW("'/a'") "," NO("'/a/b/c/d'"), "rw /a; rw /a/b; rw /a/b/c; no /a/b/c/d" },
		{ RW("'/a'") "," RO("'/a/b/c'"), "rw /a; rw /a/b; ro /a/b/c" },
		{ RW("'/a'") "," NO("'/a/b/x','/a/b/y'"), "rw /a; rw /a/b; no /a/b/x; no /a/b/y" },
		/* nobody moves anything in a read-only one */
		{ RO("'/a'") "," NO("'/a/b/c'"), "ro /a; no /a/b/c" },
		{ RW("'/a'") "," RO("'/a/b/c'") "," NO("'/a/b/c/d/e'"), "rw /a; rw /a/b; ro /a/b/c; no /a/b/c/d/e" },
		/* from one region to the next */
		{ RW("'/a','/a/b/c'") "," NO("'/a/b/c/d/e'"), "rw /a; rw /a/b; rw /a/b/c; rw /a/b/c/d; no /a/b/c/d/e" },
		/* those that a link leads to */
		{ RW("'/l'") "," NO("'/a/b/c'"), "rw /l <- /a; rw /l/b <- /a/b; no /a/b/c; no /l/b/c" },
		/* what is put there by a link, from elsewhere */
		{ RW("'/a','/e'") "," RO("'/a/out/d'"), "rw /a; rw /e; ro /e/d; ro /a/out/d <- /e/d" },
		/* /tmp is the sandbox's own */
		{ RW("'/'") "," NO("'/tmp/x/y'"), "no /tmp/x/y" },
		{ RW("'/','/tmp'") "," NO("'/tmp/x/y'"), "rw /tmp; rw /tmp/x; no /tmp/x/y" },
		{ RW("'/'") "," NO("'/x/y'"), "rw /x; no /x/y" },
	};

	(void)state;
	check_trees(files, array_size(files), trees, array_size(trees));
}

/* A restriction holds in every granted region that shows its object. */
static void test_regions(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "/l", .canonical = "/a" },
		{ .path = "/l2", .canonical = "/a/b" },
		{ .path = "/r", .canonical = "/a/b/c" },
	};
	static const struct tree trees[] = {
		{ RW("'/l'") "," NO("'/a/b'"), "rw /l <- /a; no /a/b; no /l/b" },
		{ RW("'/l','/a'") "," NO("'/a/b'"), "rw /l <- /a; rw /a; no /a/b; no /l/b" },
		{ RW("'/l'") "," RO("'/a/b'"), "rw /l <- /a; ro /a/b; ro /l/b <- /a/b" },
		{ RO("'/l'") "," RW("'/a/b'"), "ro /l <- /a; rw /a/b" },
		/* a read-only link into a writable region makes its target read-only there */
		{ RW("'/a'") "," RO("'/r'"), "rw /a; ro /r <- /a/b/c; rw /a/b; ro /a/b/c" },
		{ RW("'/l2'") "," NO("'/r'"), "rw /l2 <- /a/b; no /l2/c; no /a/b/c" },
		/* below a denial only grants say anything */
		{ NO("'/a','/a/b','/r'"), "no /a" },
		{ NO("'/a','/a/b/c'") "," RW("'/a/b'"), "no /a*; rw /a/b; no /a/b/c" },
	};

	(void)state;
	check_trees(files, array_size(files), trees, array_size(trees));
}

/* On a merged /usr the links stay links; elsewhere a link is bound by its target, and denials
 * follow. */
static void test_folders(void **state)
{
	static struct host_folder odd[] = {
		{ .path = "/bin",
		  .canonical = "/opt/bin",
		  .link = "opt/bin",
		  .is_directory = true },
		{ .path = "/sbin",
		  .canonical = "/usr/bin",
		  .link = "over/there",
		  .is_directory = true },
		{ .path = "/usr/bin", .canonical = "/usr/bin", .is_directory = true },
	};
	const struct policy_filesystem *fs;
	struct world w;

	(void)state;
	world_init(&w);
	world_accept(&w, MXC_FS(NO("'/usr/bin/env'")));
	fs = &w.decisions->filesystem;
	assert_int_equal(fs->folder_count, array_size(merged_usr));
	assert_null(fs->folders[0].source);
	assert_string_equal(fs->folders[0].link, "usr/bin");
	assert_string_equal(fs->folders[1].source, "/usr/bin");
	assert_string_equal(entries_text(&w), "no /usr/bin/env");
	w.objects.folders = odd;
	w.objects.folder_count = array_size(odd);
	world_accept(&w, MXC_FS(NO("'/opt/bin/x','/usr/bin'")));
	fs = &w.decisions->filesystem;
	assert_string_equal(fs->folders[0].source, "/opt/bin");
	assert_null(fs->folders[1].source);
	assert_string_equal(fs->folders[1].link, "/usr/bin");
	assert_string_equal(entries_text(&w), "no /usr/bin; no /bin/x; no /opt/bin/x");
	world_done(&w);
}

static void test_absent(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "/none", .error = ENOENT },
		{ .path = "/no/such/thing", .error = ENOENT },
		{ .path = "/no/such/thing/below", .error = ENOENT },
		{ .path = "/g/none", .error = ENOENT },
		{ .path = "/g/d/none", .error = ENOENT },
		{ .path = "/etc/none", .error = ENOENT },
		{ .path = "/tmp/none", .error = ENOENT },
		{ .path = "/link/none", .canonical = "/g/none", .error = ENOENT },
		{ .path = "/etc/passwd/x", .error = ENOTDIR },
	};
	static const struct tree trees[] = {
		{ NO("'/none'"), "no /none" },
		{ NO("'/none/../none'"), "no /none" },
		{ NO("'/no/such/thing/below','/no/such/thing'"), "no /no/such/thing" },
		{ NO("'/tmp/none'"), "no /tmp/none" },
		{ NO("'/g/d/none','/g/d'") "," RW("'/g'"), "rw /g; no /g/d" },
		{ NO("'/etc/none','/etc'"), "no /etc" },
	};
	struct world w;

	(void)state;
	check_trees(files, array_size(files), trees, array_size(trees));
	world_init(&w);
	world_files(&w, files, array_size(files));
	world_refuse(&w, MXC_FS(RO("'/none'")), E_POLICY, "/filesystem/readonlyPaths/0",
		     "'/none' does not exist on the host");
	assert_non_null(strstr(strbuf_str(&w.lines),
			       "WARNING: filesystem path '/none' does not exist on the host"));
	world_refuse(&w, MXC_FS(RW("'/g','/g/none'")), E_POLICY, "/filesystem/readwritePaths/1",
		     "/g/none");
	world_refuse(&w, MXC_FS(RW("'/g'") "," NO("'/g/none'")), E_POLICY,
		     "/filesystem/deniedPaths/0", "/g/none");
	world_refuse(&w, MXC_FS(RO("'/g'") "," NO("'/link/none'")), E_POLICY, NULL,
		     "lies in the granted '/g'");
	world_refuse(&w, MXC_FS(NO("'/etc/none'")), E_POLICY, NULL, "can't be kept from appearing");
	world_refuse(&w, MXC_FS(NO("'/etc/passwd/x'")), E_POLICY, NULL, "/etc/passwd/x");
	world_refuse(&w, MXC_FS(RW("'/tmp'") "," NO("'/tmp/none'")), E_POLICY, NULL,
		     "lies in the granted '/tmp'");
	world_refuse(&w, MXC_FS(RO("'/'") "," NO("'/none'")), E_POLICY, NULL,
		     "lies in the granted '/'");
	world_refuse(&w, MXC_FS(NO("'/g','/g/d/none'") "," RW("'/g/d'")), E_POLICY, NULL,
		     "/g/d/none");
	world_accept(&w, MXC_FS(RO("'/'") "," NO("'/tmp/none'")));
	world_done(&w);
}

static void test_unresolvable(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "/loop", .error = ELOOP },
		{ .path = "/far/away", .error = EACCES },
	};
	struct world w;

	(void)state;
	world_init(&w);
	world_files(&w, files, array_size(files));
	world_refuse(&w, MXC_FS(NO("'/loop'")), E_POLICY, "/filesystem/deniedPaths/0", "/loop");
	world_refuse(&w, MXC_FS(NO("'/a','/far/away'")), E_POLICY, "/filesystem/deniedPaths/1",
		     "/far/away");
	world_refuse(&w, MXC_FS(RW("'/loop'")), E_POLICY, "/filesystem/readwritePaths/0", "/loop");
	world_refuse(&w, MXC_FS(RO("'/far/away'")), E_DELEGATION, "/filesystem/readonlyPaths/0",
		     "/far/away");
	world_done(&w);
}

static void test_delegation(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "/roots", .read_error = EACCES, .write_error = EACCES },
		{ .path = "/readable", .write_error = EACCES },
		{ .path = "/ro-mount", .write_error = EROFS },
	};
	struct world w;

	(void)state;
	world_user(&w);
	world_files(&w, files, array_size(files));
	world_refuse(&w, MXC_FS(RO("'/ok','/roots'")), E_DELEGATION, "/filesystem/readonlyPaths/1",
		     "'/roots' exceeds your own rights: you have no read access");
	world_refuse(&w, MXC_FS(RW("'/readable'")), E_DELEGATION, NULL, "no write access");
	world_refuse(&w, MXC_FS(RW("'/ro-mount'")), E_DELEGATION, NULL, "/ro-mount");
	world_accept(&w, MXC_FS(RO("'/readable'")));
	/* What is tightened is judged by what is left, and denials need no rights. */
	world_accept(&w, MXC_FS(RW("'/readable'") "," RO("'/readable'")));
	world_accept(&w, MXC_FS(RW("'/roots'") "," NO("'/roots'")));
	world_done(&w);
}

static void test_never_granted(void **state)
{
	static const struct fake_file files[] = {
		{ .path = "/dev/null", .mode = S_IFCHR },
		{ .path = "/dev/sda", .mode = S_IFBLK },
		{ .path = "/here", .canonical = "/proc/sys" },
		{ .path = "/everything", .canonical = "/" },
		{ .path = "/proc/self", .canonical = "/proc/4711" },
		{ .path = "/proc/none", .error = ENOENT },
	};
	struct world w;

	(void)state;
	world_init(&w);
	world_files(&w, files, array_size(files));
	world_refuse(&w, MXC_FS(RO("'/proc'")), E_UNSUPPORTED, "/filesystem/readonlyPaths/0",
		     "/proc");
	world_refuse(&w, MXC_FS(RW("'/here'")), E_UNSUPPORTED, NULL, "its own /proc");
	world_refuse(&w, MXC_FS(RO("'/dev'")), E_UNSUPPORTED, NULL, "its own /dev");
	world_refuse(&w, MXC_FS(RO("'/dev/pts/3'")), E_UNSUPPORTED, NULL, "its own /dev");
	world_refuse(&w, MXC_FS(RW("'/dev/sda'")), E_UNSUPPORTED, NULL, "device nodes");
	world_refuse(&w, MXC_FS(RW("'/sys/fs/cgroup'")), E_UNSUPPORTED, NULL, "/sys");
	world_refuse(&w, MXC_FS(RO("'/everything'")), E_UNSUPPORTED, NULL, "leads to /");
	world_refuse(&w, MXC_FS(NO("'/'")), E_POLICY, "/filesystem/deniedPaths/0",
		     "nothing that could run");
	world_refuse(&w, MXC_FS(RO("'/'") "," NO("'/everything'")), E_POLICY, NULL,
		     "nothing that could run");
	world_refuse(&w, MXC_FS(NO("'/proc/self'")), E_POLICY, NULL, "/proc/self");
	world_refuse(&w, MXC_FS(NO("'/proc/none'")), E_POLICY, NULL, "/proc/none");
	world_accept(&w, MXC_FS(RO("'/sys','/dev/null'") "," RW("'/dev/shm/x'") "," NO(
				 "'/proc/kcore','/proc'")));
	assert_string_equal(entries_text(&w), "ro /sys; no /proc; rw /dev/shm/x");
	world_done(&w);
}

static void test_whole_root(void **state)
{
	static const struct fake_file files[] = { { .path = "/r", .canonical = "/a/b" } };
	const struct policy_filesystem *fs;
	struct world w;

	(void)state;
	world_init(&w);
	world_files(&w, files, array_size(files));
	world_accept(&w, MXC_FS(RW("'/','/home'") "," NO("'/home/x'") "," RO("'/r'")));
	fs = &w.decisions->filesystem;
	assert_int_equal(fs->whole_root, WHOLE_ROOT_READWRITE);
	assert_int_equal(fs->folder_count, 0);
	assert_true(fs->covers_sysfs && fs->wants_tmp);
	assert_string_equal(entries_text(&w), "rw /home; rw /a; ro /r <- /a/b; ro /a/b; no /home/x");
	world_accept(&w, MXC_FS(RW("'/..','/tmp'") "," RO("'/'")));
	fs = &w.decisions->filesystem;
	assert_int_equal(fs->whole_root, WHOLE_ROOT_READONLY);
	assert_false(fs->covers_sysfs || fs->wants_tmp);
	assert_string_equal(entries_text(&w), "rw /tmp");
	world_done(&w);
}

/* A long list, each path below the one before, a link to a region of many denials: neither is
 * quadratic. */
static void test_many(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct world w;
	unsigned int i;

	(void)state;
	strbuf_puts(
		&text,
		"{'version':'1.0.0','process':{'commandLine':'x'},'filesystem':{'readwritePaths':['/top'");
	for (i = 0; i < 20000; i++)
		strbuf_printf(&text, ",'/top/%u'", i);
	strbuf_puts(&text, "],'deniedPaths':['/other'");
	for (i = 0; i < 20000; i++)
		strbuf_printf(&text, ",'/top/%u/secret'", i);
	strbuf_puts(&text, "]}}");
	world_init(&w);
	w.log.level = LOG_LEVEL_ERROR;
	world_accept(&w, strbuf_str(&text));
	assert_int_equal(w.decisions->filesystem.entry_count, 40002);
	world_done(&w);
}

static void test_too_many(void **state)
{
	struct fake_file files[300];
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w);
	w.log.level = LOG_LEVEL_ERROR;
	strbuf_puts(
		&text,
		"{'version':'1.0.0','process':{'commandLine':'x'},'filesystem':{'readwritePaths':['/a'");
	for (i = 0; i < array_size(files); i++) {
		files[i] = (struct fake_file){ .path = arena_printf(w.arena, "/l%u", i),
					       .canonical = "/a" };
		strbuf_printf(&text, ",'/l%u'", i);
	}
	strbuf_puts(&text, "],'deniedPaths':['/other'");
	for (i = 0; i < 300; i++)
		strbuf_printf(&text, ",'/a/%u'", i);
	strbuf_puts(&text, "]}}");
	world_files(&w, files, array_size(files));
	world_refuse(&w, strbuf_str(&text), E_POLICY, NULL, "mounts");
	world_done(&w);
}

/* ---- network ---- */

#define OLD(network) MXC("0.7.0-alpha", "'network':{" network "},")
#define STRICT(network) MXC("0.8.0-alpha", "'network':{" network "},")
#define V100(network) MXC("1.0.0", "'network':{" network "},")

static void world_names(struct world *w)
{
	static struct host_name names[] = {
		{ "some.test", { { false, { 192, 0, 2, 7 } }, { true, { 0x20, 1, 0xd, 0xb8, [15] = 7 } } }, 2, false },
		{ .name = "none.test" },
	};

	w->facts.names = (struct host_names){ names, array_size(names), "/etc/hosts", "10.0.0.1 some.test\n127.0.0.1 localhost\n" };
}

static void test_network_isolated(void **state)
{
	static const char *const good[] = {
		"{'process':{'commandLine':'true'}}",
		MXC("0.8.0-alpha", ""),
		STRICT(""),
		STRICT("'egress':null,'defaultPolicy':'block'"),
		STRICT("'egress':{'default':'deny','allow':[],'deny':[]},'ingress':{'default':'deny','hostLoopback':'deny'}"),
		STRICT("'enforcementMode':'both'"),
		OLD("'defaultPolicy':'block'"),
		/* contradicts itself: only a warning in the older documents */
		OLD("'allowLocalNetwork':true"),
		V100(""),
		MXC("1.0.0", "'runtimeConfig':{},"),
	};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(good); i++) {
		world_init(&w);
		world_accept(&w, good[i]);
		assert_int_equal(w.decisions->network.mode, POLICY_NETWORK_ISOLATED);
		assert_int_equal(strstr(strbuf_str(&w.lines), "WARNING") != NULL, i == 7);
		world_done(&w);
	}
}

static void test_network_refused(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *pointer, *words;
	} bad[] = {
		{ STRICT("'defaultPolicy':'allow'"), E_POLICY, NULL,
		  "is not enforced while the sandbox shares the host network namespace" },
		{ STRICT("'allowLocalNetwork':true"), E_POLICY, "/network/allowLocalNetwork",
		  "is confined to the sandbox's own network namespace" },
		{ STRICT("'allowedHosts':['10.0.0.1']"), E_POLICY, "/network/allowedHosts",
		  "require an enforcement mechanism" },
		{ STRICT("'enforcementMode':'firewall','allowedHosts':['example.org']"), E_POLICY,
		  "/network/allowedHosts/0", "is not an IP address or CIDR" },
		{ STRICT("'enforcementMode':'firewall','blockedHosts':['::/0']"), E_POLICY, NULL,
		  "contains the IPv4-mapped range" },
		{ STRICT("'defaultPolicy':'allow','proxy':{'url':'http://10.0.2.9:81'}"), E_POLICY,
		  "/network/proxy", "inside the sandbox's own network" },
		{ STRICT("'defaultPolicy':'allow','proxy':{'url':'http://example.org:81'}"), E_POLICY,
		  "/network/proxy", "could not resolve proxy host" },
		{ MXC("1.0.0", "'runtimeConfig':{'networkProxy':'http://localhost:0'},"), E_POLICY,
		  "/runtimeConfig/networkProxy", "port from 1 to 65535" },
		{ OLD("'defaultPolicy':'allow','allowedHosts':['192.0.2.1','other.test']"), E_POLICY, "/network/allowedHosts/1",
		  "is not an IP address or CIDR" },
		{ OLD("'blockedHosts':['none.test']"), E_POLICY, "/network/blockedHosts/0", "could not resolve host 'none.test'" },
		{ OLD("'allowedHosts':['::/0']"), E_POLICY, "/network/allowedHosts/0", "contains the IPv4-mapped range" },
		{ V100("'egress':{'allow':[{'to':[{'cidr':'::/0'}]}]}"), E_POLICY,
		  "/network/egress/allow/0/to/0", "contains the IPv4-mapped range" },
		{ V100("'egress':{'deny':[{'to':[{'cidr':'::/64'}]}]}"), E_POLICY, NULL,
		  "contains the IPv4-mapped range" },
		{ MXC("1.0.0", "'network':{'ingress':{'default':'allow'}},'runtimeConfig':{'networkProxy':'http://localhost:3128'},"),
		  E_UNSUPPORTED, "/network/ingress/default",
		  "network.ingress.default='allow' is not supported" },
		{ MXC("1.0.0", "'network':{'ingress':{'hostLoopback':'allow'}},'runtimeConfig':{'networkProxy':'http://localhost:3128'},"),
		  E_UNSUPPORTED,
		  "/network/ingress/hostLoopback",
		  "network.ingress.hostLoopback='allow' is not supported" },
		{ MXC("1.0.0", "'runtimeConfig':{'networkProxy':'http://u:p@localhost:3128'},"),
		  E_POLICY, "/runtimeConfig/networkProxy",
		  "must not carry credentials: ***@localhost" },
	};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(bad); i++) {
		world_init(&w);
		world_names(&w);
		world_refuse(&w, bad[i].text, bad[i].code, bad[i].pointer, bad[i].words);
		world_done(&w);
	}
}

static void test_network_of_older_documents(void **state)
{
	static const struct {
		const char *text;
		enum policy_network_mode mode;
		bool warns;
	} good[] = {
		{ OLD("'defaultPolicy':'allow'"), POLICY_NETWORK_FILTERED, false },
		{ OLD("'defaultPolicy':'allow','enforcementMode':'both'"), POLICY_NETWORK_FILTERED, false },
		{ OLD("'defaultPolicy':'allow','allowLocalNetwork':true"), POLICY_NETWORK_HOST, false },
		{ STRICT("'defaultPolicy':'allow','allowLocalNetwork':true"), POLICY_NETWORK_HOST, false },
		{ OLD("'defaultPolicy':'allow','allowLocalNetwork':true,'blockedHosts':['192.0.2.1']"), POLICY_NETWORK_FILTERED, true },
		{ OLD("'allowedHosts':['192.0.2.1']"), POLICY_NETWORK_FILTERED, false },
		{ OLD("'allowedHosts':['192.0.2.1'],'enforcementMode':'firewall'"), POLICY_NETWORK_FILTERED, false },
		{ OLD("'allowedHosts':['none.test']"), POLICY_NETWORK_FILTERED, true },
		{ OLD("'defaultPolicy':'allow','proxy':{'localhost':8080}"), POLICY_NETWORK_PROXY, false },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < array_size(good); i++) {
		world_init(&w);
		world_names(&w);
		world_accept(&w, good[i].text);
		assert_int_equal(w.decisions->network.mode, good[i].mode);
		assert_int_equal(strstr(strbuf_str(&w.lines), "WARNING") != NULL, good[i].warns);
		world_done(&w);
	}
}

/* Both families of it are let through, and inside it is what the rules know. */
static void test_network_names(void **state)
{
	const struct net_packet v4 = { NET_V4, { 0, 0xc0000207 }, NET_TCP, 80 }, other = { NET_V4, { 0, 0xc0000208 }, NET_TCP, 80 };
	const struct net_packet v6 = { NET_V6, { UINT64_C(0x20010db800000000), 7 }, NET_UDP, 53 };
	const struct net_rule_sets *sets;
	struct world w;

	(void)state;
	world_init(&w);
	world_names(&w);
	world_accept(&w, OLD("'allowedHosts':['some.test']"));
	sets = &w.decisions->network.policy.egress;
	assert_null(net_rule_sets_refusal(sets, &v4));
	assert_null(net_rule_sets_refusal(sets, &v6));
	assert_non_null(net_rule_sets_refusal(sets, &other));
	assert_string_equal(w.decisions->network.hosts, "192.0.2.7 some.test\n2001:db8::7 some.test\n127.0.0.1 localhost\n");
	world_done(&w);

	world_init(&w);
	world_names(&w);
	world_accept(&w, OLD("'defaultPolicy':'allow','blockedHosts':['some.test']"));
	sets = &w.decisions->network.policy.egress;
	assert_non_null(net_rule_sets_refusal(sets, &v4));
	assert_non_null(net_rule_sets_refusal(sets, &v6));
	assert_null(net_rule_sets_refusal(sets, &other));
	assert_null(w.decisions->network.hosts);
	world_done(&w);
}

static void test_network_filtered(void **state)
{
	static const struct {
		const char *text, *pointer;
		size_t count;
		bool allows, closes_host_loopback;
	} good[] = {
		{ STRICT("'enforcementMode':'firewall','allowedHosts':['10.0.0.1/8']"), "/network/allowedHosts", 1, false,
		  false },
		{ STRICT("'enforcementMode':'both','defaultPolicy':'allow','blockedHosts':['::1']"), "/network/blockedHosts",
		  1, true, false },
		{ V100("'egress':{'default':'allow'}"), "/network/egress/default", 0, true, true },
		{ V100("'egress':{'allow':[{'to':[{'cidr':'::ffff:0:0/96'}]}]}"), "/network/egress/allow", 1, false, true },
		{ V100("'egress':{'deny':[{}]}"), "/network/egress/deny", 1, false, true },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < array_size(good); i++) {
		const struct net_policy *policy;

		world_init(&w);
		world_accept(&w, good[i].text);
		policy = &w.decisions->network.policy;
		assert_int_equal(w.decisions->network.mode, POLICY_NETWORK_FILTERED);
		assert_string_equal(policy->pointer, good[i].pointer);
		assert_int_equal(policy->egress.count, 1);
		assert_int_equal(policy->egress.items[0].count, good[i].count);
		assert_int_equal(policy->egress.items[0].allows_by_default, good[i].allows);
		assert_int_equal(policy->closes_host_loopback, good[i].closes_host_loopback);
		world_done(&w);
	}
}

static void test_network_proxy(void **state)
{
	static const struct {
		const char *text;
		size_t listen, targets;
	} good[] = {
		{ MXC("1.0.0", "'runtimeConfig':{'networkProxy':'http://localhost:3128'},"), 3, 2 },
		{ MXC("1.0.0", "'runtimeConfig':{'networkProxy':'http://[::1]:3128'},"), 2, 1 },
		{ STRICT("'defaultPolicy':'allow','proxy':{'localhost':8080}"), 2, 1 },
		{ STRICT("'defaultPolicy':'allow','proxy':{'url':'http://192.0.2.7:81'}"), 2, 1 },
		{ STRICT("'proxy':{'builtinTestServer':true},'allowedHosts':['some.test']"), 2, 0 },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < array_size(good); i++) {
		const struct net_proxy *proxy;

		world_init(&w);
		world_accept(&w, good[i].text);
		proxy = &w.decisions->network.policy.proxy;
		assert_int_equal(w.decisions->network.mode, POLICY_NETWORK_PROXY);
		assert_int_equal(proxy->listen_count, good[i].listen);
		assert_int_equal(proxy->target_count, good[i].targets);
		assert_int_equal(proxy->test.is_used, good[i].targets == 0);
		assert_int_equal(proxy->listen[proxy->listen_count - 1].address.low, 0x0a000202);
		world_done(&w);
	}
}

/* ---- containment ---- */

/* On an image a denied path is a place in it, and the host's object only where a grant shows that. */
static void test_image(void **state)
{
	static struct image_path denied[] = { { "/real/secret", 0 }, { "/data/secret", 0 }, { "/proc/kcore", 0 } };
	static const struct host_image image = { "/images/root", denied, array_size(denied) };
	const struct policy_filesystem *fs;
	struct world w;

	(void)state;
	world_init(&w);
	w.objects.image = &image;
	world_accept(&w, MXC("1.0.0", "'containment':'lxc','lxc':{'distribution':'a','release':'1'},"
				      "'filesystem':{'readonlyPaths':['/data'],'deniedPaths':['/link/secret','/data/secret','/proc/kcore']},"));
	fs = &w.decisions->filesystem;
	assert_int_equal(fs->whole_root, WHOLE_ROOT_IMAGE);
	assert_string_equal(fs->image, "/images/root");
	assert_int_equal(fs->folder_count, 0);
	assert_int_equal(fs->entry_count, 4);
	assert_string_equal(fs->entries[0].destination, "/data");
	assert_string_equal(fs->entries[0].source, "/data");
	for (size_t i = 1; i < fs->entry_count; i++)
		assert_int_equal(fs->entries[i].intent, INTENT_DENIED);
	assert_string_equal(fs->entries[3].destination, "/real/secret");
	assert_string_equal(fs->entries[3].source, "/images/root/real/secret");
	assert_string_equal(fs->entries[1].destination, "/data/secret");
	assert_string_equal(fs->entries[1].source, "/data/secret");
	assert_string_equal(fs->entries[2].source, "/proc/kcore");
	world_done(&w);
}

static void test_containment(void **state)
{
	static const char *const foreign[] = { "processcontainer",  "seatbelt",	 "wslc",
					       "isolation_session", "vm",	 "windows_sandbox",
					       "microvm",	    "hyperlight" };
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < array_size(foreign); i++) {
		const char *text = arena_printf(w.arena, MXC("1.1.0-alpha", "'containment':'%s',"),
						foreign[i]);

		world_refuse(&w, text, E_UNSUPPORTED, "/containment", foreign[i]);
		world_refuse(&w, text, E_UNSUPPORTED, "/containment", "is not available on Linux");
	}
	world_refuse(&w, MXC("0.8.0-alpha", "'containment':'appcontainer',"), E_UNSUPPORTED, NULL,
		     "processcontainer");
	world_refuse(&w, MXC("1.0.0", "'containment':'lxc',"), E_POLICY, NULL,
		     "LXC distribution and release are required");
	world_refuse(&w,
		     MXC("0.8.0-alpha",
			 "'containment':'lxc','lxc':{'distribution':'alpine','release':''},"),
		     E_POLICY, NULL, "LXC distribution and release are required");
	world_refuse(&w, MXC("1.0.0", "'containment':'lxc','lxc':{'distribution':'alpine','release':'../3'},"), E_POLICY,
		     "/lxc/release", "../3");
	world_refuse(&w,
		     MXC("1.0.0", "'containment':'lxc','lxc':{'distribution':'a','release':'1'},'lifecycle':{'destroyOnExit':false},"),
		     E_UNSUPPORTED, "/lifecycle/destroyOnExit", "ends with it");
	world_accept(&w, MXC("1.0.0", "'containment':'bubblewrap',"));
	world_done(&w);
}

/* ---- process ---- */

static const char *env_text(struct world *w)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *const *variable;

	for (variable = w->decisions->process.env; *variable; variable++)
		strbuf_printf(&text, "%s%s", variable == w->decisions->process.env ? "" : " ",
			      *variable);
	return arena_strdup(w->arena, strbuf_str(&text));
}

#define DEFAULTS \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=xterm-256color"
#define RUN(version, process) "{'version':'" version "','process':{'commandLine':'x'" process "}}"

static void test_environment(void **state)
{
	static const struct {
		const char *text, *env;
	} rows[] = {
		{ RUN("0.8.0-alpha", ""), "" },
		{ RUN("0.8.0-alpha", ",'env':['B=1','none','A=2','B=3','C=']"), "B=3 A=2 C=" },
		{ RUN("1.0.0", ""), DEFAULTS },
		{ RUN("1.0.0", ",'cwd':'/w'"), DEFAULTS " HOME=/w" },
		{ RUN("1.0.0", ",'env':[]"), "" },
		{ RUN("1.0.0", ",'env':['A=1']"), "A=1" },
		{ RUN("1.0.0", ",'env':['A=1','TERM=dumb'],'inheritDefaultEnv':true"),
		  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb A=1" },
		{ RUN("1.0.0", ",'env':['A=1=2','AB=3','A=4'],'inheritDefaultEnv':false"),
		  "A=4 AB=3" },
	};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(rows); i++) {
		world_init(&w);
		world_accept(&w, rows[i].text);
		assert_string_equal(env_text(&w), rows[i].env);
		world_done(&w);
	}
	world_init(&w);
	world_refuse(&w, RUN("1.0.0", ",'env':['A=1','=secret']"), E_POLICY, "/process/env/1",
		     "needs a name");
	assert_null(strstr(w.err->text, "secret"));
	world_done(&w);
}

static void test_directory(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	world_accept(&w, RUN("1.0.0", ""));
	assert_string_equal(w.decisions->process.cwd, "/work");
	assert_true(w.decisions->process.cwd_is_default);
	world_accept(&w, RUN("1.0.0", ",'cwd':''"));
	assert_true(w.decisions->process.cwd_is_default);
	world_accept(&w, RUN("1.0.0", ",'cwd':'/x','timeout':5"));
	assert_string_equal(w.decisions->process.cwd, "/x");
	assert_false(w.decisions->process.cwd_is_default);
	assert_int_equal(w.decisions->process.timeout_ms, 5);
	world_refuse(&w, RUN("1.0.0", ",'cwd':'x'"), E_POLICY, "/process/cwd", "absolute");
	w.facts.cwd = NULL;
	world_accept(&w, RUN("1.0.0", ""));
	assert_string_equal(w.decisions->process.cwd, "/");
	world_done(&w);
}

#define PATHS 800u

static const char *some_path(struct arena *arena, uint32_t *seed)
{
	static const char *const names[] = { "/a", "/b", "/a-b", "/ab", "/a.b" };
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	uint32_t depth;

	*seed = *seed * 1103515245u + 12345u;
	for (depth = *seed >> 16 & 7; depth; depth--) {
		*seed = *seed * 1103515245u + 12345u;
		strbuf_puts(&path, names[(*seed >> 16) % array_size(names)]);
	}
	return path.len ? arena_strdup(arena, strbuf_str(&path)) : "/";
}

/* The place above a path is that which a walk over its ancestors finds. */
static void test_place_above(void **state)
{
	struct arena *arena = arena_new();
	struct path_index index;
	uint32_t seed = 7;

	(void)state;
	assert_true(path_index_init(&index, arena, PATHS / 8));
	for (size_t i = 0; i < PATHS / 8; i++)
		path_index_add(&index, some_path(arena, &seed), i);
	path_index_sort(&index);
	for (size_t i = 0; i < PATHS; i++) {
		const char *path = some_path(arena, &seed);
		size_t want = path_parent_len(path, strlen(path));
		const struct place *place;

		while (want && !path_index_find(&index, path, want, &place))
			want = path_parent_len(path, want);
		assert_int_equal(path_index_above(&index, path), want);
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place_above),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_same_path),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_unresolvable),
		cmocka_unit_test(test_delegation),
		cmocka_unit_test(test_never_granted),
		cmocka_unit_test(test_whole_root),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_network_isolated),
		cmocka_unit_test(test_network_refused),
		cmocka_unit_test(test_network_of_older_documents),
		cmocka_unit_test(test_network_names),
		cmocka_unit_test(test_network_filtered),
		cmocka_unit_test(test_network_proxy),
		cmocka_unit_test(test_containment),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
