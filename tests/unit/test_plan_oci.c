/* test_plan_oci.c - what an OCI configuration comes to on made-up hosts, what is refused and where,
 * and the golden plans in data/. */
#include "oci_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/sys.h"
#include "plan/caps.h"
#include "plan_unit.h"

struct bad {
	const char *text;
	enum err_code code;
	const char *pointer, *words;
};

static void refuse_all(void (*make)(struct world *), const struct bad *list, size_t count)
{
	struct world w;
	size_t i;

	for (i = 0; i < count; i++) {
		make(&w);
		world_refuse(&w, list[i].text, list[i].code, list[i].pointer, list[i].words);
		world_done(&w);
	}
}

#define L(json) DOCUMENT("", "", json ",")
#define P(json) DOCUMENT("", json ",", "")
#define T(json) DOCUMENT(json ",", "", "")
#define M(json) DOCUMENT("'mounts':[" json "],", "", "")
#define R(json) DOCUMENT("", "", "'resources':{" json "},")
/* A document of which only the namespaces differ. */
#define N(list, linux_)                                                                 \
	"{'ociVersion':'1.0.0','root':{'path':'/r'},'process':{'args':['a'],'cwd':'/'," \
	"'user':{'uid':0,'gid':0}},'linux':{" linux_ "'namespaces':[" list "]}}"

static void test_unenforceable(void **state)
{
	static const struct bad list[] = {
		{ T("'mxc':{'version':'1.0.0'}"), E_UNSUPPORTED, "/mxc",
		  "mxc is not supported" },
		{ T("'annotations':{'mxc.policy':'{}'}"), E_UNSUPPORTED, "/annotations",
		  "mxc.policy" },
		{ P("'scheduler':{'policy':'SCHED_OTHER','nice':20}"), E_CONFIG, "/process/scheduler/nice",
		  "-20 to 19" },
		{ P("'scheduler':{'policy':'SCHED_OTHER','flags':['X']}"), E_CONFIG,
		  "/process/scheduler/flags/0", "" },
		{ P("'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':8}"), E_CONFIG,
		  "/process/ioPriority/priority", "" },
		{ L("'intelRdt':{'closID':'x'}"), E_HOST, "/linux/intelRdt", "not mounted" },
		{ L("'intelRdt':{'enableCMT':true}"), E_HOST, "/linux/intelRdt", "not mounted" },
		{ L("'intelRdt':{'closID':'a/b'}"), E_CONFIG, "/linux/intelRdt/closID", "a/b" },
		{ L("'intelRdt':{'closID':'info'}"), E_CONFIG, "/linux/intelRdt/closID", "info" },
		{ L("'intelRdt':{'memBwSchema':'L3:0=f'}"), E_CONFIG, "/linux/intelRdt/memBwSchema", "MB:" },
		{ L("'intelRdt':{'memBwSchema':'MB:0=5\\nMB:1=5'}"), E_CONFIG, "/linux/intelRdt/memBwSchema", "one line" },
		{ L("'intelRdt':{'l3CacheSchema':'L3'}"), E_CONFIG, "/linux/intelRdt/l3CacheSchema", "RESOURCE:" },
		{ L("'intelRdt':{'schemata':['L3:0=f','L3:1=f']}"), E_CONFIG, "/linux/intelRdt/schemata", "two lines" },
		{ L("'personality':{'domain':'LINUX','flags':['X']}"), E_UNSUPPORTED,
		  "/linux/personality/flags", "" },
		{ L("'timeOffsets':{'boottime':{'secs':1}}"), E_CONFIG, "/linux/timeOffsets",
		  "time namespace" },
		{ L("'netDevices':{'eth0':{'name':'x/y'}}"), E_CONFIG, "/linux/netDevices/eth0", "x/y" },
		{ L("'netDevices':{'a':{'name':'x'},'b':{'name':'x'}}"), E_CONFIG, "/linux/netDevices/b",
		  "two devices" },
		{ L("'memoryPolicy':{'mode':'MPOL_BIND','nodes':'1-0'}"), E_CONFIG, "/linux/memoryPolicy/nodes",
		  "1-0" },
		{ R("'rdma':{'a b':{'hcaHandles':1}}"), E_CONFIG, "/linux/resources/rdma/a b", "" },
		{ R("'rdma':{'x':{}}"), E_CONFIG, "/linux/resources/rdma/x", "hcaHandles" },
		{ M("{'destination':'/d','source':'/s','options':['bind','idmap']}"), E_CONFIG,
		  "/mounts/0", "needs mappings" },
		{ M("{'destination':'/d','source':'/s','options':['bind'],"
		    "'uidMappings':[{'containerID':0,'hostID':1,'size':1}]}"),
		  E_CONFIG, "/mounts/0/gidMappings", "" },
	};
	struct world w;

	(void)state;
	refuse_all(world_hybrid, list, array_size(list));
	/* What asks for nothing passes. */
	world_hybrid(&w);
	world_accept(
		&w,
		DOCUMENT("'mxc':{},", "'apparmorProfile':'',",
			 "'intelRdt':{},'netDevices':{},'mountLabel':'',"
			 "'resources':{'blockIO':{'weight':0},'hugepageLimits':[],'network':{}},"));
	world_done(&w);
}

/* The lines of the fields come together in the order in which they outrank each other. */
static void test_rdt(void **state)
{
	struct world w;

	(void)state;
	world_hybrid(&w);
	w.facts.resctrl = "/sys/fs/resctrl";
	world_accept(&w, L("'intelRdt':{'closID':'guaranteed','l3CacheSchema':'L3:0=f;1=f0\\nMB:0=70','memBwSchema':'MB:0=20',"
			   "'schemata':['L2:0=3'],'enableMBM':true}"));
	assert_true(w.plan->rdt.is_set && w.plan->rdt.is_named && w.plan->rdt.is_monitored);
	assert_true(w.plan->rdt.needs_bandwidth && !w.plan->rdt.needs_occupancy);
	assert_string_equal(w.plan->rdt.class_name, "guaranteed");
	assert_string_equal(w.plan->rdt.schemata, "L2:0=3\nMB:0=20\nL3:0=f;1=f0\n");
	world_accept(&w, L("'intelRdt':{'schemata':['MB:0=10'],'memBwSchema':'MB:0=20'}"));
	assert_string_equal(w.plan->rdt.schemata, "MB:0=10\n");
	assert_string_equal(w.plan->rdt.class_name, "c1");
	assert_false(w.plan->rdt.is_named);
	world_accept(&w, L("'intelRdt':{'closID':'/','enableMonitoring':true}"));
	assert_string_equal(w.plan->rdt.class_name, "");
	assert_null(w.plan->rdt.schemata);
	world_accept(&w, L("'intelRdt':{'closID':'','enableCMT':false}"));
	assert_false(w.plan->rdt.is_set);
	world_done(&w);
}

static void test_bad_namespaces(void **state)
{
	static const struct bad list[] = {
		{ N("", ""), E_CONFIG, "/linux/namespaces", "mount namespace" },
		{ N("{'type':'pid'}", ""), E_CONFIG, "/linux/namespaces", "mount namespace" },
		{ N("{'type':'mount'},{'type':'pid'},{'type':'pid','path':'/x'}", ""), E_CONFIG,
		  "/linux/namespaces/2", "the pid namespace is listed twice" },
		{ N("{'type':'mount','path':'proc/1/ns/mnt'}", ""), E_CONFIG, "/linux/namespaces/0",
		  "absolute" },
		{ N("{'type':'mount'},{'type':'user'}", ""), E_CONFIG, "/linux/uidMappings",
		  "needs id mappings" },
		{ N("{'type':'mount'}", "'gidMappings':[{'containerID':0,'hostID':0,'size':1}],"),
		  E_CONFIG, "/linux/gidMappings", "without a user namespace" },
#define MAPS(list_) \
	"'uidMappings':[" list_ "],'gidMappings':[{'containerID':0,'hostID':0,'size':1}],"
#define USER(list_) N("{'type':'mount'},{'type':'user'}", MAPS(list_))
		{ USER("{'containerID':0,'hostID':0,'size':0}"), E_CONFIG, "/linux/uidMappings/0",
		  "no ids" },
		{ USER("{'containerID':1,'hostID':0,'size':4294967295}"), E_CONFIG,
		  "/linux/uidMappings/0", "highest id" },
		{ USER("{'containerID':0,'hostID':4294967290,'size':6}"), E_CONFIG,
		  "/linux/uidMappings/0", "highest id" },
		{ USER("{'containerID':0,'hostID':0,'size':10},{'containerID':9,'hostID':50,'size':1}"),
		  E_CONFIG, "/linux/uidMappings/1", "overlaps mapping 0 inside" },
		{ USER("{'containerID':0,'hostID':5,'size':10},{'containerID':10,'hostID':0,'size':6}"),
		  E_CONFIG, "/linux/uidMappings/1", "on the host" },
		{ USER("{'containerID':5,'hostID':5,'size':10}"), E_CONFIG, "/process/user/uid",
		  "id 0 is not mapped" },
		{ N("{'type':'mount'}", "") "", E_CONFIG, NULL, "" },
	};
	struct world w;

	(void)state;
	refuse_all(world_hybrid, list, array_size(list) - 1);
	/* The last one is fine for root and not for a user. */
	refuse_all(world_user, list + array_size(list) - 1, 1);
	world_hybrid(&w);
	world_accept(&w, list[array_size(list) - 1].text);
	assert_int_equal(w.plan->network, NETWORK_HOST);
	world_accept(
		&w,
		N("{'type':'mount'},{'type':'network','path':'/n'},{'type':'time','path':''}", ""));
	assert_int_equal(w.plan->network, NETWORK_JOINED);
	assert_string_equal(w.plan->namespaces[NS_NET].path, "/n");
	assert_string_equal(w.plan->namespaces[NS_NET].pointer, "/linux/namespaces/1");
	assert_int_equal(w.plan->namespaces[NS_TIME].mode, NS_NEW);
	/* Two ranges that touch do not overlap; the whole range is a map. */
	world_accept(
		&w,
		USER("{'containerID':0,'hostID':1000,'size':1},{'containerID':1,'hostID':1001,'size':9}"));
	assert_int_equal(w.plan->uid_maps.count, 2);
	assert_false(w.plan->deny_setgroups);
	world_accept(&w, USER("{'containerID':0,'hostID':0,'size':4294967295}"));
	world_done(&w);
}

static void test_setgroups(void **state)
{
	static const char one[] = N("{'type':'mount'},{'type':'user'}",
				    "'uidMappings':[{'containerID':0,'hostID':1000,'size':1}],"
				    "'gidMappings':[{'containerID':0,'hostID':1000,'size':1}],");
	static const char many[] =
		N("{'type':'mount'},{'type':'user'}",
		  "'uidMappings':[{'containerID':0,'hostID':1000,'size':1}],"
		  "'gidMappings':[{'containerID':0,'hostID':100000,'size':65536}],");
	struct world w;

	(void)state;
	world_user(&w);
	assert_true(world_accept(&w, one)->deny_setgroups);
	assert_false(world_accept(&w, many)->deny_setgroups);
	world_done(&w);
	world_hybrid(&w);
	assert_false(world_accept(&w, one)->deny_setgroups);
	world_done(&w);
}

static void test_names_and_sysctls(void **state)
{
	static const struct bad list[] = {
		{ "{'ociVersion':'1.0.0','hostname':'h','root':{'path':'/r'},'linux':{'namespaces':[{'type':'mount'}]}}",
		  E_CONFIG, "/hostname", "uts namespace" },
		{ T("'domainname':'ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd'"),
		  E_CONFIG, "/domainname", "longer than 64" },
		{ N("{'type':'mount'}", "'sysctl':{'net.ipv4.ip_forward':'1'},"), E_CONFIG,
		  "/linux/sysctl/net.ipv4.ip_forward", "network namespace" },
		{ N("{'type':'mount'}", "'sysctl':{'kernel.sem':'1'},"), E_CONFIG,
		  "/linux/sysctl/kernel.sem", "ipc" },
		{ N("{'type':'mount'}", "'sysctl':{'kernel.domainname':'1'},"), E_CONFIG, NULL,
		  "uts namespace" },
		{ L("'sysctl':{'kernel.hostname':'x'}"), E_CONFIG, NULL, "hostname" },
		{ L("'sysctl':{'kernel.core_pattern':'|/x'}"), E_CONFIG, NULL,
		  "would change the host" },
		{ L("'sysctl':{'vm.swappiness':'1'}"), E_CONFIG, NULL, "would change the host" },
		{ L("'sysctl':{'kernel.semx':'1'}"), E_CONFIG, NULL, "would change the host" },
		{ L("'sysctl':{'net/ipv4/ip_forward':'1'}"), E_CONFIG, "/linux/sysctl",
		  "dotted name" },
		{ L("'sysctl':{'net..ipv4':'1'}"), E_CONFIG, "/linux/sysctl", "dotted name" },
		{ L("'sysctl':{'net.ipv4.+kernel':'1'}"), E_CONFIG, "/linux/sysctl",
		  "dotted name" },
		{ L("'sysctl':{'net.':'1'}"), E_CONFIG, "/linux/sysctl", "dotted name" },
		{ L("'sysctl':{'':'1'}"), E_CONFIG, "/linux/sysctl", "dotted name" },
		{ L("'sysctl':{'net.a\\nb':'1'}"), E_CONFIG, "/linux/sysctl", "dotted name" },
	};
	struct world w;

	(void)state;
	refuse_all(world_hybrid, list, array_size(list));
	world_hybrid(&w);
	world_accept(&w,
		     DOCUMENT("'hostname':'h','domainname':'',", "",
			      "'sysctl':{'net.core.somaxconn':'256','kernel.shm_rmid_forced':'1',"
			      "'fs.mqueue.msg_max':'5','kernel.domainname':'d'},"));
	assert_string_equal(w.plan->hostname, "h");
	assert_null(w.plan->domainname);
	assert_int_equal(w.plan->sysctl_count, 4);
	assert_string_equal(w.plan->sysctls[0].path, "net/core/somaxconn");
	assert_string_equal(w.plan->sysctls[0].value, "256");
	world_done(&w);
}

static void test_root(void **state)
{
	static const struct bad list[] = {
		{ "{'ociVersion':'1.0.0','linux':{'namespaces':[{'type':'mount'}]}}", E_CONFIG,
		  "/root", "root" },
		{ "{'ociVersion':'1.0.0','root':{'path':''},'linux':{'namespaces':[{'type':'mount'}]}}",
		  E_CONFIG, "/root/path", "path" },
		{ "{'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'namespaces':[{'type':'mount'}]}}",
		  E_CONFIG, "/process", "process" },
		{ L("'rootfsPropagation':'sideways'"), E_CONFIG, "/linux/rootfsPropagation",
		  "sideways" },
		{ L("'maskedPaths':['proc/x']"), E_CONFIG, "/linux/maskedPaths/0", "absolute" },
		{ L("'readonlyPaths':['/a','/./']"), E_CONFIG, "/linux/readonlyPaths/1", "root" },
	};
	struct world w;

	(void)state;
	refuse_all(world_hybrid, list, array_size(list));
	world_hybrid(&w);
	w.request.no_pivot = true;
	world_accept(&w, L("'rootfsPropagation':'rslave','maskedPaths':['/proc//kcore/']"));
	assert_string_equal(w.plan->root.path, "/bundle/rootfs");
	assert_int_equal(w.plan->root.propagation, MS_SLAVE | MS_REC);
	assert_true(w.plan->root.use_chroot);
	assert_string_equal(w.plan->masked.items[0].path, "/proc/kcore");
	assert_string_equal(w.plan->masked.items[0].pointer, "/linux/maskedPaths/0");
	world_done(&w);
}

static void test_bad_mounts(void **state)
{
	static const struct bad list[] = {
		{ M("{'destination':'','type':'tmpfs'}"), E_CONFIG, "/mounts/0",
		  "destination is empty" },
		{ M("{'destination':'/','type':'cgroup'}"), E_CONFIG, "/mounts/0",
		  "the place of the root" },
		{ M("{'destination':'/x/..','type':'none','options':['remount']}"), E_CONFIG, "/mounts/0",
		  "the place of the root" },
		{ M("{'destination':'/a'}"), E_CONFIG, "/mounts/0", "file system type" },
		{ M("{'destination':'/a','type':'none','source':'/b'}"), E_CONFIG, "/mounts/0",
		  "file system type" },
		{ M("{'destination':'/a','type':'bind'}"), E_CONFIG, "/mounts/0", "source" },
		{ M("{'destination':'/a','source':'/b','options':['bind','sync']}"), E_UNSUPPORTED,
		  "/mounts/0/options/1", "\"sync\" has no effect on a bind mount" },
		{ M("{'destination':'/a','source':'/b','options':['size=1','bind']}"),
		  E_UNSUPPORTED, "/mounts/0/options/0", "size=1" },
		{ M("{'destination':'/a','type':'cgroup','options':['all']}"), E_UNSUPPORTED, NULL,
		  "cgroup mount" },
		{ M("{'destination':'/a','type':'proc','options':['tmpcopyup']}"), E_CONFIG, NULL,
		  "tmpfs only" },
		{ M("{'destination':'/a','type':'tmpfs','options':['copy-symlink']}"), E_CONFIG,
		  NULL, "bind mounts" },
		{ M("{'destination':'/proc','type':'tmpfs'}"), E_CONFIG, NULL, "only procfs" },
		{ M("{'destination':'/proc','source':'/tmp','options':['bind']}"), E_CONFIG, NULL,
		  "only procfs" },
		{ M("{'destination':'proc/../sys/.','type':'tmpfs'}"), E_CONFIG, NULL,
		  "only sysfs" },
		{ M("{'destination':'/proc/sys','type':'tmpfs'}"), E_CONFIG, NULL, "inside /proc" },
		{ M("{'destination':'/proc/1/attr','source':'/x','options':['bind']}"), E_CONFIG,
		  NULL, "inside /proc" },
		{ M("{'destination':'/a','type':'tmpfs'},{'destination':'/b','type':'tmpfs','options':['=x']}"),
		  E_CONFIG, "/mounts/1/options/0", "mount option" },
	};

	(void)state;
	refuse_all(world_hybrid, list, array_size(list));
}

static void test_mounts(void **state)
{
	const struct plan_mount *m;
	struct world w;

	(void)state;
	world_hybrid(&w);
	world_accept(
		&w,
		M("{'destination':'/proc','type':'proc'},"
		  "{'destination':'rel//x/','type':'tmpfs','source':'t','options':['nosuid','mode=755','tmpcopyup']},"
		  "{'destination':'/b','type':'whatever','source':'sub','options':['rbind','rprivate','rro','ro']},"
		  "{'destination':'/proc/meminfo','source':'/var/lib/lxcfs/meminfo','options':['bind']},"
		  "{'destination':'/sys','type':'none','source':'/sys','options':['rbind']},"
		  "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup','options':['ro']},"
		  "{'destination':'/b','options':['remount','bind','ro']},"
		  "{'destination':'/c','type':'bind','source':'/c','options':['copy-symlink']}"));
	m = w.plan->mounts;
	assert_int_equal(w.plan->mount_count, 8);
	assert_int_equal(m[0].kind, MOUNT_FILESYSTEM);
	assert_string_equal(m[0].source, "proc");
	assert_string_equal(m[0].pointer, "/mounts/0");
	assert_string_equal(m[1].destination, "/rel/x");
	assert_true(m[1].copy_up);
	assert_int_equal(m[1].attr_set, SYS_ATTR_NOSUID);
	assert_int_equal(m[1].option_count, 1);
	assert_int_equal(m[2].kind, MOUNT_BIND);
	assert_string_equal(m[2].source, "/bundle/sub");
	assert_true(m[2].is_recursive && m[2].is_directory);
	assert_int_equal(m[2].attr_set, SYS_ATTR_RDONLY);
	assert_int_equal(m[2].attr_set_recursive, SYS_ATTR_RDONLY);
	assert_int_equal(m[2].propagation, MS_PRIVATE | MS_REC);
	assert_null(m[2].fstype);
	assert_int_equal(m[5].kind, MOUNT_CGROUP);
	assert_string_equal(m[5].fstype, "cgroup");
	assert_int_equal(m[6].kind, MOUNT_REMOUNT);
	assert_int_equal(m[7].kind, MOUNT_BIND);
	assert_false(m[7].is_recursive);
	assert_true(w.plan->dev_is_prepared);
	world_done(&w);
}

static void test_devices(void **state)
{
	static const struct bad list[] = {
		{ L("'devices':[{'path':'/dev/x','type':'d','major':1,'minor':1}]"), E_CONFIG,
		  "/linux/devices/0", "type" },
		{ L("'devices':[{'path':'/dev/x','type':'c','major':1}]"), E_CONFIG,
		  "/linux/devices/0", "numbers" },
		{ L("'devices':[{'path':'/dev/x','type':'c','major':4096,'minor':1}]"), E_CONFIG,
		  NULL, "numbers" },
		{ L("'devices':[{'path':'/dev/x','type':'b','major':1,'minor':-1}]"), E_CONFIG,
		  NULL, "numbers" },
		{ L("'devices':[{'path':'dev/x','type':'p'}]"), E_CONFIG, NULL, "absolute" },
		{ L("'devices':[{'path':'/..','type':'p'}]"), E_CONFIG, NULL, "path of a device" },
		{ L("'devices':[{'path':'/x','type':'p','uid':4294967295}]"), E_CONFIG, NULL,
		  "no id" },
		{ L("'devices':[{'path':'/x','type':'p'},{'path':'/x','type':'p','uid':1}]"),
		  E_CONFIG, "/linux/devices/1", "/x is listed twice" },
		{ R("'devices':[{'allow':true,'type':'p'}]"), E_CONFIG,
		  "/linux/resources/devices/0", "type" },
		{ R("'devices':[{'allow':true,'access':'rx'}]"), E_CONFIG,
		  "/linux/resources/devices/0", "access" },
		{ R("'devices':[{'allow':true,'access':''}]"), E_CONFIG,
		  "/linux/resources/devices/0", "access" },
		{ R("'devices':[{'allow':true,'major':1,'minor':3}]"), E_CONFIG,
		  "/linux/resources/devices/0", "missing field `access`" },
		{ R("'devices':[{'allow':false,'major':-2}]"), E_CONFIG,
		  "/linux/resources/devices/0", "numbers" },
	};
	const struct plan_device_rule *rules;
	const struct plan_device *d;
	struct world w;

	(void)state;
	refuse_all(world_hybrid, list, array_size(list));
	world_hybrid(&w);
	world_accept(
		&w,
		L("'devices':[{'path':'/dev/fuse','type':'u','major':10,'minor':229,'fileMode':8630,'gid':7},"
		  "{'path':'/dev/null','type':'c','major':1,'minor':3,'fileMode':384},"
		  "{'path':'/dev/fuse','type':'c','major':10,'minor':229,'fileMode':438,'gid':7},"
		  "{'path':'/dev/pipe','type':'p'}],"
		  "'resources':{'devices':[{'allow':false},{'allow':true,'type':'b','major':8,'minor':0,'access':'r'}]}"));
	d = w.plan->devices;
	assert_int_equal(w.plan->device_count, 8);
	assert_string_equal(d[0].path, "/dev/zero");
	assert_true(d[0].is_default && d[0].mode == 0666 && !d[0].pointer);
	assert_string_equal(d[5].path, "/dev/fuse");
	assert_int_equal(d[5].type, 'c');
	assert_int_equal(d[5].mode, 0666);
	assert_string_equal(d[6].path, "/dev/null");
	assert_int_equal(d[6].mode, 0600);
	assert_string_equal(d[7].pointer, "/linux/devices/3");
	assert_int_equal(w.plan->dev_symlink_count, 5);
	rules = w.plan->cgroup.device_rules;
	assert_int_equal(w.plan->cgroup.device_rule_count, 13);
	assert_true(!rules[0].allow && rules[0].type == 'a' && rules[0].major == -1 &&
		    rules[0].mknod);
	assert_true(rules[1].allow && rules[1].type == 'b' && rules[1].read && !rules[1].write);
	assert_true(rules[2].allow && rules[2].mknod && !rules[2].read);
	assert_true(w.plan->cgroup.wants_devices);
	/* A /dev that is the host's is left alone. */
	world_accept(
		&w,
		DOCUMENT("'mounts':[{'destination':'/dev','source':'/dev','options':['rbind']}],",
			 "",
			 "'devices':[{'path':'/dev/x','type':'p'},{'path':'/run/x','type':'p'}],"));
	assert_false(w.plan->dev_is_prepared);
	assert_int_equal(w.plan->device_count, 1);
	assert_string_equal(w.plan->devices[0].path, "/run/x");
	assert_int_equal(w.plan->dev_symlink_count, 0);
	world_done(&w);
}

static void test_bad_process(void **state)
{
	static const struct bad list[] = {
		{ N("{'type':'mount'}", "") "", E_CONFIG, NULL, "" },
		{ "{'ociVersion':'1.0.0','root':{'path':'r'},'process':{'cwd':'/'},'linux':{'namespaces':[{'type':'mount'}]}}",
		  E_CONFIG, "/process/args", "program" },
		{ "{'ociVersion':'1.0.0','root':{'path':'r'},'process':{'cwd':'/','args':['']},"
		  "'linux':{'namespaces':[{'type':'mount'}]}}",
		  E_CONFIG, "/process/args", "program" },
		{ "{'ociVersion':'1.0.0','root':{'path':'r'},'process':{'cwd':'tmp','args':['a']},"
		  "'linux':{'namespaces':[{'type':'mount'}]}}",
		  E_CONFIG, "/process/cwd", "absolute" },
		{ P("'env':['A=1','SECRETVALUE']"), E_CONFIG, "/process/env/1", "NAME=value" },
		{ P("'env':['=x']"), E_CONFIG, "/process/env/0", "NAME=value" },
		{ P("'rlimits':[{'type':'RLIMIT_X','hard':1,'soft':1}]"), E_CONFIG,
		  "/process/rlimits/0", "RLIMIT_X" },
		{ P("'rlimits':[{'type':'RLIMIT_CPU','hard':1,'soft':1},{'type':'RLIMIT_CPU','hard':1,'soft':1}]"),
		  E_CONFIG, "/process/rlimits/1", "twice" },
		{ P("'rlimits':[{'type':'RLIMIT_CPU','hard':1,'soft':2}]"), E_CONFIG,
		  "/process/rlimits/0", "soft" },
		{ P("'oomScoreAdj':1001"), E_CONFIG, "/process/oomScoreAdj", "1000" },
		{ P("'terminal':true,'consoleSize':{'height':65536,'width':1}"), E_CONFIG,
		  "/process/consoleSize", "" },
		{ P("'capabilities':{'effective':['CAP_KILL']}"), E_CONFIG,
		  "/process/capabilities/effective", "" },
		{ P("'capabilities':{'inheritable':['CAP_KILL']}"), E_CONFIG,
		  "/process/capabilities/inheritable", "" },
		{ T("'hooks':{'poststop':[{'path':'x'}]}"), E_CONFIG, "/hooks/poststop/0",
		  "absolute" },
		{ T("'hooks':{'prestart':[{'path':'/x'},{'path':'/x','timeout':0}]}"), E_CONFIG,
		  "/hooks/prestart/1", "timeout" },
	};
	struct world w;

	(void)state;
	refuse_all(world_hybrid, list + 1, array_size(list) - 1);
	world_hybrid(&w);
	w.request.wants_console = true;
	world_refuse(&w, list[0].text, E_CONFIG, "/process/terminal", "console socket");
	assert_null(strstr(w.err->text, "SECRETVALUE"));
	world_done(&w);
}

static void test_process(void **state)
{
	static const char *const extra[] = { "LISTEN_FDS=2", NULL };
	const struct plan_process *p;
	struct world w;

	(void)state;
	world_hybrid(&w);
	w.request.extra_env = extra;
	w.request.preserve_fds = 2;
	w.request.no_new_keyring = true;
	w.request.notify_socket = "/run/n";
	world_accept(
		&w,
		DOCUMENT(
			"'hooks':{'createContainer':[{'path':'/h','args':['h','x'],'env':['A=b'],'timeout':5}],"
			"'poststop':[{'path':'/p'}]},",
			"'env':['A=1'],'terminal':true,'consoleSize':{'height':24,'width':80},'oomScoreAdj':-3,"
			"'rlimits':[{'type':'RLIMIT_NOFILE','hard':18446744073709551615,'soft':5}],",
			""));
	p = &w.plan->process;
	assert_string_equal(p->argv[0], "sh");
	assert_null(p->argv[1]);
	assert_string_equal(p->env[0], "A=1");
	assert_string_equal(p->env[1], "LISTEN_FDS=2");
	assert_null(p->env[2]);
	assert_int_equal(p->umask, PLAN_UNSET_ID);
	assert_true(p->has_oom_score_adj && p->oom_score_adj == -3);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_true(p->rlimits[0].hard == UINT64_MAX && p->rlimits[0].soft == 5);
	assert_true(p->console_rows == 24 && p->console_columns == 80);
	assert_true(p->new_session && !p->new_keyring && !p->no_new_privileges && !p->keep_init);
	assert_int_equal(p->preserve_fds, 2);
	assert_string_equal(p->notify_socket, "/run/n");
	assert_int_equal(p->capabilities.bounding | p->capabilities.permitted, 0);
	assert_int_equal(w.plan->hooks[HOOK_CREATE_CONTAINER].items[0].timeout_ms, 5000);
	assert_string_equal(w.plan->hooks[HOOK_CREATE_CONTAINER].items[0].argv[1], "x");
	assert_string_equal(w.plan->hooks[HOOK_POSTSTOP].items[0].argv[0], "/p");
	assert_string_equal(w.plan->hooks[HOOK_POSTSTOP].items[0].pointer, "/hooks/poststop/0");
	world_done(&w);
}

static void test_capabilities(void **state)
{
	static const char text[] = P(
		"'capabilities':{'bounding':['CAP_KILL','CAP_SYS_RESOURCE','CAP_NEVER_HEARD_OF','CAP_CHOWN'],"
		"'permitted':['CAP_KILL','CAP_SYS_RESOURCE','CAP_CHOWN'],'effective':['CAP_KILL'],"
		"'inheritable':['CAP_CHOWN'],'ambient':['CAP_KILL','CAP_CHOWN']}");
	const struct plan_capabilities *caps;
	struct world w;
	unsigned int i;

	(void)state;
	world_hybrid(&w);
	caps = &world_accept(&w, text)->process.capabilities;
	assert_int_equal(caps->bounding, 1u << 5 | 1u << 0);
	assert_int_equal(caps->permitted, 1u << 5 | 1u << 0);
	assert_int_equal(caps->effective, 1u << 5);
	assert_int_equal(caps->inheritable, 1u << 0);
	assert_int_equal(caps->ambient, 1u << 0);
	/* One for the name that nobody knows, one for the capability that the host lacks. */
	assert_int_equal(w.warnings, 2);
	world_done(&w);

	/* Our own table says what libcap says. */
	for (i = 0; i < CAPS_KNOWN; i++) {
		cap_value_t value = -1;

		assert_int_equal(cap_from_name(caps_name(i), &value), 0);
		assert_int_equal(value, i);
		assert_int_equal(caps_from_name(caps_name(i)), i);
	}
	assert_null(caps_name(CAPS_KNOWN));
	assert_int_equal(caps_from_name("kill"), -1);
}

/* A user namespace has every capability for itself, whatever the caller's bounding set. */
static void test_capabilities_in_userns(void **state)
{
	struct world w;

	(void)state;
	world_hybrid(&w);
	world_accept(&w,
		     "{'ociVersion':'1.0.0','root':{'path':'/r'},'process':{'args':['a'],'cwd':'/',"
		     "'capabilities':{'bounding':['CAP_SYS_RESOURCE']}},"
		     "'linux':{'namespaces':[{'type':'mount'},{'type':'user'}],"
		     "'uidMappings':[{'containerID':0,'hostID':0,'size':1}],"
		     "'gidMappings':[{'containerID':0,'hostID':0,'size':1}]}}");
	assert_int_equal(w.plan->process.capabilities.bounding,
			 (uint64_t)1 << CAP_SYS_RESOURCE_BIT);
	assert_int_equal(w.warnings, 0);
	world_done(&w);
}

/* ---- cgroups ---- */

static void test_cgroup_paths(void **state)
{
	static const struct {
		const char *wanted, *path;
	} good[] = {
		{ "", "/c1" },
		{ "/a/b", "/a/b" },
		{ "a//b/", "/a/b" },
		{ "system.slice:docker:x", "/system.slice:docker:x" },
	};
	static const struct bad bad[] = {
		{ L("'cgroupsPath':'/a/../b'"), E_CONFIG, "/linux/cgroupsPath", ".." },
		{ L("'cgroupsPath':'..'"), E_CONFIG, "/linux/cgroupsPath", ".." },
		{ L("'cgroupsPath':'/'"), E_CONFIG, "/linux/cgroupsPath", "root cgroup" },
		{ L("'cgroupsPath':'/./'"), E_CONFIG, "/linux/cgroupsPath", "root cgroup" },
		{ L("'cgroupsPath':'/a\\nprocess 1 2'"), E_CONFIG, "/linux/cgroupsPath",
		  "control character" },
	};
	struct world w;
	size_t i;

	(void)state;
	refuse_all(world_hybrid, bad, array_size(bad));
	for (i = 0; i < array_size(good); i++) {
		world_hybrid(&w);
		world_accept(&w, arena_printf(w.arena, L("'cgroupsPath':'%s'"), good[i].wanted));
		assert_string_equal(w.plan->cgroup.path, good[i].path);
		assert_true(w.plan->cgroup.required);
		world_done(&w);
	}
}

static void test_systemd_names(void **state)
{
	static const struct {
		const char *wanted, *slice, *scope, *path;
	} good[] = {
		{ "", "system.slice", "mxcrun-c1.scope", "/system.slice/mxcrun-c1.scope" },
		{ "a-b-c.slice:docker:x", "a-b-c.slice", "docker-x.scope",
		  "/a.slice/a-b.slice/a-b-c.slice/docker-x.scope" },
		{ "-.slice:p:n", "-.slice", "p-n.scope", "/p-n.scope" },
		{ "::", "system.slice", "c1.scope", "/system.slice/c1.scope" },
		{ ":p:", "system.slice", "p-c1.scope", "/system.slice/p-c1.scope" },
	};
	static const char *const bad[] = {
		"/a/b",		  "a:b",	  "a.slice:b:c:d", "a/b.slice:x:y", "a:b:c",
		"a--b.slice:x:y", "-a.slice:x:y", ".slice:x:y",	   "a-.slice:x:y",
	};
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < array_size(good); i++) {
		world_v2(&w);
		w.request.manager = CGROUP_MANAGER_SYSTEMD;
		world_accept(&w, arena_printf(w.arena, L("'cgroupsPath':'%s'"), good[i].wanted));
		assert_string_equal(w.plan->cgroup.slice, good[i].slice);
		assert_string_equal(w.plan->cgroup.scope, good[i].scope);
		assert_string_equal(w.plan->cgroup.path, good[i].path);
		world_done(&w);
	}
	for (i = 0; i < array_size(bad); i++) {
		world_v2(&w);
		w.request.manager = CGROUP_MANAGER_SYSTEMD;
		world_refuse(&w, arena_printf(w.arena, L("'cgroupsPath':'%s'"), bad[i]), E_CONFIG,
			     "/linux/cgroupsPath", "");
		world_done(&w);
	}
}

/* The annotation's name, its value, and what becomes of them; signature NULL: refused. */
#define Q "\\u0027" /* because this file's documents have single quotes for double ones */
static void test_unit_properties(void **state)
{
	static const struct {
		const char *name, *value, *have_name, *signature, *have_value;
	} rows[] = {
		{ "Description", Q "a text" Q, "Description", "s", "a text" },
		{ "Description", "\\u0022double\\u0022", "Description", "s", "double" },
		{ "SendSIGHUP", "true", "SendSIGHUP", "b", "true" },
		{ "TasksMax", "uint64 7", "TasksMax", "t", "7" },
		{ "Any", "-5", "Any", "i", "-5" },
		{ "TasksMax", "uint64 18446744073709551615", "TasksMax", "t", "18446744073709551615" },
		{ "Any", "uint32 4294967295", "Any", "u", "4294967295" },
		{ "Any", "int64 -9223372036854775808", "Any", "x", "-9223372036854775808" },
		{ "TimeoutStopUSec", "uint64 5", "TimeoutStopUSec", "t", "5" },
		{ "TimeoutStopSec", "uint64 5", "TimeoutStopUSec", "t", "5000000" },
		{ "TimeoutStopSec", "3000000000", "TimeoutStopUSec", "t", "3000000000000000" },
		{ "RuntimeMaxSec", "1.25", "RuntimeMaxUSec", "t", "1250000" },
		{ "CollectMode", Q "inactive" Q, "CollectMode", "s", "inactive" },
		{ "After", "[" Q "a.service" Q ", " Q "b.service" Q "]", "After", "as", "a.service" },
		{ "Bad name", "true", NULL, NULL, NULL },
		{ "A", "uint64 -1", NULL, NULL, NULL },
		{ "A", "uint32 4294967296", NULL, NULL, NULL },
		{ "A", "2147483648", NULL, NULL, NULL },
		{ "A", "int64 -9223372036854775809", NULL, NULL, NULL },
		{ "A", "1.5", NULL, NULL, NULL },
		{ "TimeoutStopSec", "uint64 18446744073710", NULL, NULL, NULL },
		{ "TimeoutStopSec", "-5", NULL, NULL, NULL },
		{ "TimeoutStopSec", "1.5x", NULL, NULL, NULL },
		{ "TimeoutStopSec", "true", NULL, NULL, NULL },
		{ "A", Q "open", NULL, NULL, NULL },
		{ "A", "[" Q "a" Q ", b]", NULL, NULL, NULL },
		{ "A", "99999999999999999999999", NULL, NULL, NULL },
		{ "TimeoutStopSec", Q "5s" Q, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct world w;
		const char *json;

		world_v2(&w);
		w.request.manager = CGROUP_MANAGER_SYSTEMD;
		json = arena_printf(w.arena, T("'annotations':{'org.systemd.property.%s':'%s'}"), rows[i].name,
				    rows[i].value);
		if (!rows[i].signature) {
			world_refuse(&w, json, E_CONFIG, "/annotations", rows[i].name);
		} else {
			world_accept(&w, json);
			assert_int_equal(w.plan->cgroup.unit_property_count, 1);
			assert_string_equal(w.plan->cgroup.unit_properties[0].name, rows[i].have_name);
			assert_string_equal(w.plan->cgroup.unit_properties[0].signature, rows[i].signature);
			assert_string_equal(w.plan->cgroup.unit_properties[0].values[0], rows[i].have_value);
		}
		world_done(&w);
	}
}

#define ROOTLESS(linux_)                                              \
	N("{'type':'mount'},{'type':'user'}",                         \
	  "'uidMappings':[{'containerID':0,'hostID':1000,'size':1}]," \
	  "'gidMappings':[{'containerID':0,'hostID':1000,'size':1}]," linux_)

static void test_rootless_cgroups(void **state)
{
	static const char service[] = "/user.slice/user-1000.slice/user@1000.service";
	static const struct bad bad[] = {
		{ ROOTLESS("'resources':{'cpu':{'shares':100}},"), E_HOST,
		  "/linux/resources/cpu/shares", "cpu is not available to this user" },
	};
	struct world w;

	(void)state;
	refuse_all(world_user, bad, array_size(bad));
	world_user(&w);
	world_accept(&w, ROOTLESS(""));
	assert_string_equal(w.plan->cgroup.path,
			    "/user.slice/user-1000.slice/user@1000.service/app.slice/c1");
	assert_false(w.plan->cgroup.required || w.plan->cgroup.wants_devices);
	world_accept(&w, ROOTLESS("'resources':{'memory':{'limit':4096}},"));
	assert_true(w.plan->cgroup.required);
	w.request.manager = CGROUP_MANAGER_SYSTEMD;
	world_accept(&w, ROOTLESS(""));
	assert_string_equal(w.plan->cgroup.slice, "user.slice");
	assert_memory_equal(w.plan->cgroup.path, service, strlen(service));
	assert_string_equal(w.plan->cgroup.path + strlen(service), "/user.slice/mxcrun-c1.scope");
	w.facts.cgroup_count = 0;
	world_accept(&w, ROOTLESS(""));
	assert_memory_equal(w.plan->cgroup.path, service, strlen(service));
	w.request.manager = CGROUP_MANAGER_DISABLED;
	world_accept(&w, ROOTLESS(""));
	assert_null(w.plan->cgroup.path);
	assert_false(w.plan->cgroup.required);
	world_refuse(&w, ROOTLESS("'resources':{'pids':{'limit':4}},"), E_CONFIG,
		     "/linux/resources/pids/limit", "disabled");
	world_done(&w);
}

/* Writes as "file=value" lines; a "?" marks an optional one. */
static void check_writes(void (*make)(struct world *), const char *resources, const char *expected)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	const struct plan_cgroup *cgroup;
	struct world w;
	size_t i;

	make(&w);
	world_accept(&w, arena_printf(w.arena, R("%s"), resources));
	cgroup = &w.plan->cgroup;
	for (i = 0; i < cgroup->write_count; i++) {
		const struct plan_cgroup_write *write = &cgroup->writes[i];

		strbuf_printf(&lines, "%s%s=%s%s", i ? " " : "", write->file, write->value,
			      write->is_optional ? "?" : "");
		if (write->usage_file)
			strbuf_printf(&lines, ">%s", write->usage_file);
		assert_memory_equal(write->pointer, "/linux/resources/", 17);
		assert_memory_equal(write->file, write->controller, strlen(write->controller));
	}
	assert_string_equal(strbuf_str(&lines), expected);
	world_done(&w);
}

static void test_limits_v1(void **state)
{
	(void)state;
	check_writes(world_hybrid, "", "");
	check_writes(
		world_hybrid,
		"'memory':{'limit':0,'swap':0,'disableOOMKiller':false},'cpu':{'shares':0,'cpus':''},'pids':{'limit':0}",
		"");
	check_writes(
		world_hybrid, "'memory':{'swap':200,'limit':100,'reservation':50}",
		"memory.limit_in_bytes=100 memory.memsw.limit_in_bytes=200 memory.soft_limit_in_bytes=50");
	check_writes(world_hybrid, "'memory':{'limit':100,'swap':-1}",
		     "memory.memsw.limit_in_bytes=-1? memory.limit_in_bytes=100");
	check_writes(world_hybrid, "'memory':{'swappiness':0,'disableOOMKiller':true}",
		     "memory.swappiness=0 memory.oom_control=1");
	check_writes(world_hybrid, "'memory':{'kernel':-1,'kernelTCP':4096,'checkBeforeUpdate':true}",
		     "memory.kmem.tcp.limit_in_bytes=4096");
	check_writes(
		world_hybrid,
		"'cpu':{'shares':512,'quota':20000,'period':50000,'burst':1000,'cpus':'0-1','mems':'0'}",
		"cpu.shares=512 cpu.cfs_period_us=50000 cpu.cfs_quota_us=20000 cpu.cfs_burst_us=1000 "
		"cpuset.cpus=0-1 cpuset.mems=0");
	check_writes(world_hybrid,
		     "'cpu':{'quota':-1,'realtimePeriod':1000,'realtimeRuntime':900,'idle':1}",
		     "cpu.cfs_quota_us=-1 cpu.rt_period_us=1000 cpu.rt_runtime_us=900 cpu.idle=1");
}

static void test_limits_v2(void **state)
{
	(void)state;
	check_writes(world_v2, "'memory':{'limit':100,'swap':300,'reservation':50}",
		     "memory.swap.max=200 memory.max=100 memory.low=50");
	check_writes(world_v2, "'memory':{'limit':100,'swap':100}",
		     "memory.swap.max=0? memory.max=100");
	check_writes(world_v2, "'memory':{'limit':100,'swap':300,'checkBeforeUpdate':true}",
		     "memory.swap.max=200>memory.swap.current memory.max=100>memory.current");
	check_writes(world_v2, "'memory':{'limit':-1,'swap':-1,'checkBeforeUpdate':true}",
		     "memory.swap.max=max? memory.max=max");
	check_writes(world_v2, "'cpu':{'shares':1024}", "cpu.weight=100");
	check_writes(world_v2, "'cpu':{'shares':512}", "cpu.weight=59");
	check_writes(world_v2, "'cpu':{'shares':22000}", "cpu.weight=1204");
	check_writes(world_v2, "'cpu':{'shares':3}", "cpu.weight=2");
	check_writes(world_v2, "'cpu':{'shares':2}", "cpu.weight=1");
	check_writes(world_v2, "'cpu':{'shares':262144}", "cpu.weight=10000");
	check_writes(world_v2, "'cpu':{'quota':20000}", "cpu.max=20000 100000");
	check_writes(world_v2, "'cpu':{'quota':20000,'period':50000,'burst':5}",
		     "cpu.max=20000 50000 cpu.max.burst=5");
	check_writes(world_v2, "'cpu':{'quota':-1}", "cpu.max=max 100000");
	check_writes(world_v2, "'cpu':{'idle':1,'cpus':'1'}", "cpu.idle=1 cpuset.cpus=1");
	check_writes(world_v2, "'pids':{'limit':-1}", "pids.max=max");
	check_writes(world_v2,
		     "'blockIO':{'weight':10,'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':7}],"
		     "'weightDevice':[{'major':8,'minor':1,'weight':1000}]}",
		     "io.weight=1 io.weight=8:1 10000 io.max=8:0 rbps=7");
	check_writes(world_v2, "'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000},'mlx4_0':{'hcaObjects':7}}",
		     "rdma.max=mlx5_1 hca_handle=3 hca_object=10000 rdma.max=mlx4_0 hca_object=7");
	check_writes(
		world_v2,
		"'pids':{'limit':32},'unified':{'memory.high':'5','io.max':'8:0 rbps=1\\n8:1 wbps=2\\n',"
		"'cgroup.max.depth':'3'}",
		"pids.max=32 memory.high=5 io.max=8:0 rbps=1 io.max=8:1 wbps=2 cgroup.max.depth=3");
}

static void test_bad_limits(void **state)
{
#define RES "/linux/resources/"
	static const struct bad v1[] = {
		{ R("'pids':{'limit':5}"), E_HOST, RES "pids/limit",
		  "pids is not available on this host" },
		{ R("'unified':{'memory.max':'5'}"), E_HOST, RES "unified/memory.max",
		  "cgroup v2" },
		{ R("'memory':{'limit':-2}"), E_CONFIG, RES "memory/limit", "-1" },
		{ R("'memory':{'swap':5}"), E_CONFIG, RES "memory/swap", "needs a memory limit" },
		{ R("'memory':{'limit':10,'swap':5}"), E_CONFIG, RES "memory/swap", "together" },
		{ R("'memory':{'swappiness':101}"), E_CONFIG, RES "memory/swappiness", "100" },
		{ R("'memory':{'useHierarchy':false}"), E_UNSUPPORTED, RES "memory/useHierarchy",
		  "" },
		{ R("'memory':{'kernel':100}"), E_UNSUPPORTED, RES "memory/kernel", "5.16" },
		{ R("'cpu':{'shares':1}"), E_CONFIG, RES "cpu/shares", "262144" },
		{ R("'cpu':{'period':999}"), E_CONFIG, RES "cpu/period", "microseconds" },
		{ R("'cpu':{'quota':999}"), E_CONFIG, RES "cpu/quota", "microseconds" },
		{ R("'cpu':{'quota':2000,'burst':3000}"), E_CONFIG, RES "cpu/burst", "above" },
		{ R("'cpu':{'idle':2}"), E_CONFIG, RES "cpu/idle", "0 or 1" },
		{ R("'cpu':{'cpus':'0\\n1'}"), E_CONFIG, RES "cpu/cpus", "list" },
	};
	static const struct bad v2[] = {
		{ R("'memory':{'kernelTCP':100}"), E_UNSUPPORTED, RES "memory/kernelTCP", "v2" },
		{ R("'memory':{'swappiness':0}"), E_UNSUPPORTED, RES "memory/swappiness", "v2" },
		{ R("'memory':{'disableOOMKiller':true}"), E_UNSUPPORTED,
		  RES "memory/disableOOMKiller", "v2" },
		{ R("'cpu':{'realtimeRuntime':5}"), E_UNSUPPORTED, RES "cpu/realtimeRuntime",
		  "v2" },
		{ R("'unified':{'hugetlb.2MB.max':'5'}"), E_HOST, NULL,
		  "hugetlb is not available" },
		{ R("'unified':{'../x.y':'5'}"), E_CONFIG, NULL, "cgroup file" },
		{ R("'unified':{'cgroup.procs':'1'}"), E_CONFIG, NULL, "cgroup file" },
		{ R("'unified':{'memory':'1'}"), E_CONFIG, NULL, "cgroup file" },
	};

	(void)state;
	refuse_all(world_hybrid, v1, array_size(v1));
	refuse_all(world_v2, v2, array_size(v2));
}

static void test_human_limits(void **state)
{
	struct world w;

	(void)state;
	world_v2(&w);
	world_accept(
		&w,
		R("'memory':{'limit':100,'kernel':-1},'cpu':{'quota':20000},'pids':{'limit':3}"));
	assert_int_equal(w.plan->cgroup.memory_bytes, 100);
	assert_int_equal(w.plan->cgroup.cpu_quota_us, 20000);
	assert_int_equal(w.plan->cgroup.cpu_period_us, 100000);
	assert_int_equal(w.plan->cgroup.pids, 3);
	assert_int_equal(w.warnings, 0);
	world_done(&w);
}

/* ---- the whole ---- */

static void check_config(void (*make)(struct world *), const char *config_name,
			 const char *plan_name, const char *bundle_name)
{
	cleanup_free char *text = NULL;
	struct world w;

	make(&w);
	assert_int_equal(
		fd_read_file(AT_FDCWD, data_path(w.arena, config_name), 1 << 20, &text, NULL), 0);
	world_accept(&w, text);
	check_golden_plan(w.arena, w.plan, plan_name);
	if (bundle_name)
		check_golden_bundle(w.arena, w.plan, bundle_name);
	world_done(&w);
}

static void test_golden(void **state)
{
	(void)state;
	check_config(world_hybrid, "oci-default.json", "oci-default-hybrid.plan.json", "oci-default-hybrid.bundle.txt");
	check_config(world_v2, "oci-full.json", "oci-full-v2.plan.json", NULL);
	check_config(world_hybrid, "oci-full-v1.json", "oci-full-hybrid.plan.json", NULL);
	check_config(world_user, "oci-rootless.json", "oci-rootless-user.plan.json", "oci-rootless-user.bundle.txt");
}

static void test_seccomp(void **state)
{
	struct world w;

	(void)state;
	world_v2(&w);
	world_accept(&w, L("'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':"
			   "[{'names':['mount'],'action':'SCMP_ACT_ERRNO'}]}"));
	assert_non_null(w.plan->process.seccomp.program);
	assert_true(w.plan->process.seccomp.instruction_count > 3);
	world_accept(&w, L("'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','architectures':['SCMP_ARCH_X86_64'],"
			   "'syscalls':[{'names':['read','write'],'action':'SCMP_ACT_ALLOW'}]}"));
	assert_non_null(w.plan->process.seccomp.program);
	world_refuse(&w, L("'seccomp':{'defaultAction':'SCMP_ACT_NOTHING'}"), E_CONFIG,
		     "/linux/seccomp/defaultAction", "");
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unenforceable),
		cmocka_unit_test(test_rdt),
		cmocka_unit_test(test_bad_namespaces),
		cmocka_unit_test(test_setgroups),
		cmocka_unit_test(test_names_and_sysctls),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_bad_mounts),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_bad_process),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_capabilities_in_userns),
		cmocka_unit_test(test_cgroup_paths),
		cmocka_unit_test(test_systemd_names),
		cmocka_unit_test(test_unit_properties),
		cmocka_unit_test(test_rootless_cgroups),
		cmocka_unit_test(test_limits_v1),
		cmocka_unit_test(test_limits_v2),
		cmocka_unit_test(test_bad_limits),
		cmocka_unit_test(test_human_limits),
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
