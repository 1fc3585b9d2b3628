/* seccomp.h - an OCI seccomp section to a classic BPF program, as a pure function.
 *
 * Names and numbers come from libseccomp; the program is laid out here, as a binary search over the
 * system call number, because a linear list costs every load and every call. tests/unit/test_seccomp.c runs it and libseccomp's own
 * program through a simulator and compares them.
 */
#ifndef MXCRUN_PLAN_SECCOMP_H
#define MXCRUN_PLAN_SECCOMP_H

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/oci.h"
#include "plan/plan.h"

/* Compile into arena. Unknown action, operator, flag, architecture or errno is E_CONFIG with its
 * pointer; unknown system call names are skipped (invariant 27). kept: rules of the same meaning that the plan keeps as text, for who
 * prints it or compiles them anew; NULL: none, for writing them takes as long as compiling. 0 or -errno. */
int seccomp_compile(struct arena *arena, const struct oci_seccomp *config, const struct oci_seccomp *kept,
		    struct plan_seccomp *ret, const struct log *log, struct err **err);

/* On the host's network abstract UNIX sockets lead to the host's programs, containerd's shims among them (CVE-2020-15257), so without a
 * Landlock domain that has them in its scope a workload makes connected pairs only. */
enum seccomp_unix { SECCOMP_UNIX_ANY, SECCOMP_UNIX_PAIRS_FOR_OTHERS, SECCOMP_UNIX_PAIRS };

struct seccomp_workload {
	uint64_t capabilities;		/* what these are for is let through; bits as in plan_capabilities */
	enum seccomp_unix unix_sockets; /* _FOR_OTHERS: in the rules that are kept, since other runtimes have no such domain */
	bool keeps_rules;
	bool writes_to_host;		/* then it makes no set-user-ID files: on the host they would have an effect */
};

/* The filter of a policy sandbox (invariant 49). `default`: listed calls pass, all others do not exist (ENOSYS); `denylist`: what
 * opens kernel attack surface is refused. */
enum seccomp_profile { SECCOMP_PROFILE_DEFAULT, SECCOMP_PROFILE_DENYLIST };
extern const char *const seccomp_profile_words[]; /* by enum; NULL-terminated */
int seccomp_compile_policy(struct arena *arena, enum seccomp_profile profile, const struct seccomp_workload *workload,
			   struct plan_seccomp *ret, const struct log *log, struct err **err);

/* A named profile's filter as it is without capabilities, made when mxcrun is built (seccomp_ready_make.c): to compile it each time
 * took a third of the planning. Two by enum, the second for who writes to the host. Absent, so that its address is NULL, in other programs, and where mxcrun is built for
 * another machine. */
struct sock_filter;
struct seccomp_ready {
	const struct sock_filter *program;
	uint32_t count;
};
extern const struct seccomp_ready seccomp_ready[] __attribute__((weak));

/* The profile of that name, or -errno with E_POLICY at pointer. */
int seccomp_profile_from_word(const char *word, const char *pointer, struct err **err);

/* The filter from a file of the caller's; of the workload only how it writes to the host and keeps_rules matter. E_POLICY for what a sandbox
 * has no place for (a listener). */
int seccomp_compile_policy_file(struct arena *arena, const struct oci_seccomp *file, const struct seccomp_workload *workload,
				struct plan_seccomp *ret, const struct log *log, struct err **err);

/* The section as compact JSON, for engines that take rules and not programs. In arena; NULL: no memory. */
const char *seccomp_rules_text(struct arena *arena, const struct oci_seccomp *config);

const char *seccomp_library_version(void); /* "2.5.4": of the libseccomp that is linked */

/* Words that the parser knows, NULL-terminated; for the features command. */
extern const char *const seccomp_action_words[];
extern const char *const seccomp_operator_words[];
extern const char *const seccomp_flag_words[];
const char *const *seccomp_arch_words(void);

#endif
