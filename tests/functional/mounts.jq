# mounts.jq - differences between the mounts that a bundle asks for and those that the kernel shows.
#
# Arguments: $mounts is the output of mountview, $exists the list of masked and read-only paths that the root has.
# Input is config.json. Output is one line a difference; none when all is as it should be.

def last_at($target): [$mounts[] | select(.target == $target)] | last;

# A flag's final word: the last of the pair wins.
def wants($options; $on; $off): [$options[] | select(. == $on or . == $off)] | last == $on;

def flag_pairs: [["ro", "rw"], ["nosuid", "suid"], ["nodev", "dev"], ["noexec", "exec"], ["noatime", "atime"]];

# Words that are not for the file system itself.
def generic: ["bind", "rbind", "defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "atime",
	"noatime", "relatime", "norelatime", "strictatime", "nostrictatime", "diratime", "nodiratime", "newinstance",
	"nosymfollow", "symfollow", "tmpcopyup", "rro", "rrw", "rnosuid", "rnodev", "rnoexec", "private", "rprivate",
	"slave", "rslave", "shared", "rshared", "unbindable", "runbindable"];

# The kernel prints octal numbers without leading zeros, and a tmpfs's default mode not at all.
def shown: if test("^(mode|ptmxmode)=") then sub("=0+(?<n>[0-7])"; "=\(.n)") else . end;

# uid= and gid= are ids of the container, which the kernel shows as the reader's.
def mapped($maps): . as $id
	| [$maps[]? | select(.containerID <= $id and $id < .containerID + .size) | .hostID + $id - .containerID][0] // $id;
def outside($config):
	if test("^uid=[0-9]+$") then "uid=\(.[4:] | tonumber | mapped($config.linux.uidMappings))"
	elif test("^gid=[0-9]+$") then "gid=\(.[4:] | tonumber | mapped($config.linux.gidMappings))"
	else . end;

def is_bind: ((.options // []) | any(. == "bind" or . == "rbind")) or .type == "bind";

def check_flags($m; $have):
	($m.options // []) as $options
	| flag_pairs[] as [$on, $off]
	| wants($options; $on; $off) as $want
	| ($have.vfs | index($on) != null) as $is
	# A bind keeps what its source has, unless it asks for more.
	| select(if $m | is_bind then $want and ($is | not) else $want != $is end)
	| "\($m.destination): \($on) should be \($want), the kernel has \($have.vfs)";

def check_atime($m; $have):
	select(($m | is_bind) | not)
	| ($m.options // []) as $options
	| (if $options | index("noatime") then "noatime" elif $options | index("strictatime") then "strictatime"
		else "relatime" end) as $want
	| (if $have.vfs | index("noatime") then "noatime" elif $have.vfs | index("relatime") then "relatime"
		else "strictatime" end) as $is
	| select($want != $is)
	| "\($m.destination): should be \($want), is \($is)";

def check_superblock($config; $m; $have):
	select(($m | is_bind) | not)
	| ($m.options // [])[] | select(. as $word | generic | index($word) | not) | shown | outside($config)
	| select(. != "mode=1777")
	| select(. as $word | $have.fs | index($word) | not)
	| "\($m.destination): option \(.) is not among \($have.fs)";

def check_type($m; $have):
	select(($m | is_bind) | not)
	| (if $m.type == "cgroup" then ["cgroup", "cgroup2", "tmpfs"] else [$m.type] end) as $want
	| select($want | index($have.fstype) | not)
	| "\($m.destination): type should be \($m.type), is \($have.fstype)";

def check_propagation($m; $have):
	([($m.options // [])[] | capture("^r?(?<kind>private|slave|shared|unbindable)$").kind] | last) as $want
	| if $want == null then select($have.propagation | index("shared"))
	  else select($have.propagation | index($want) | not) end
	| "\($m.destination): propagation should be \($want // "not shared"), is \($have.propagation)";

def check_mount($config):
	. as $m | last_at($m.destination) as $have
	| if $have == null then "\($m.destination): nothing is mounted"
	  else check_type($m; $have), check_flags($m; $have), check_atime($m; $have), check_superblock($config; $m; $have),
		check_propagation($m; $have)
	  end;

# What may be there beside the list.
def is_explained($config):
	.target as $target
	| $target == "/"
	or ($config.mounts | any(.destination == $target))
	or ($config.mounts | any(((.options // []) | index("rbind")) and (.destination as $d | $target | startswith($d + "/"))))
	or ($config.mounts | any(.type == "cgroup" and (.destination as $d | $target | startswith($d + "/"))))
	or ($exists | index($target) != null)
	or ($target == "/dev/console" and $config.process.terminal == true)
	or (($config.linux.namespaces | any(.type == "user")) and ($target | test("^/dev/(null|zero|full|random|urandom|tty)$")))
	or ($config.mounts | any(.destination == $target and .type == "bind"));

. as $config
| ($config.mounts[] | check_mount($config)),
  ($mounts[] | select(is_explained($config) | not) | "\(.target): a mount that nobody asked for (\(.fstype), \(.root))"),
  ($config.mounts[] | select(.type == "cgroup" and wants(.options // []; "ro"; "rw")) | .destination as $d
	# The last one at a place is what is seen; a recursive bind of /sys brings others below it.
	| [$mounts[].target | select(startswith($d))] | unique[] | last_at(.)
	| select(.vfs | index("ro") | not) | "\(.target): should be read-only"),
  ($exists[] as $path | select(last_at($path) == null) | "\($path): masked or read-only, but nothing is mounted"),
  ($exists[] as $path | select(($config.linux.readonlyPaths // []) | index($path))
	| select(last_at($path) != null and (last_at($path).vfs | index("ro") | not)) | "\($path): should be read-only"),
  (last_at("/") | select((.vfs | index("ro") != null) != ($config.root.readonly == true))
	| "/: read-only should be \($config.root.readonly == true)")
