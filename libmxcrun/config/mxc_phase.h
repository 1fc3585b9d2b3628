/* mxc_phase.h - a request of MXC's state-aware life cycle: a sandbox that is provisioned, started, joined by processes, stopped and
 * deprovisioned, each by a call of its own (MXC.md 10, MXC-1.0.md 3). */
#ifndef MXCRUN_CONFIG_MXC_PHASE_H
#define MXCRUN_CONFIG_MXC_PHASE_H

#include "config/mxc.h"

enum mxc_phase { MXC_PROVISION, MXC_START, MXC_EXEC, MXC_STOP, MXC_DEPROVISION, MXC_PHASE_MAX };
extern const char *const mxc_phase_words[]; /* by enum; NULL-terminated */

struct mxc_phase_request {
	enum mxc_phase phase;
	enum mxc_containment containment; /* provision: as written */
	const char *sandbox_id;		  /* of all others */
	/* provision: the policy, with a process that does nothing; exec: the process, and else nothing. NULL in other phases */
	const struct mxc_config *config;
};

/* Is the document such a request? Any value of the key makes it one. */
bool mxc_is_phase_request(const struct json *document);

/* Shape and what needs no host. E_CONFIG: malformed; E_POLICY: a part of the policy that the phase can't take. The strings are
 * those of the JSON tree. 0 or -errno. */
int mxc_parse_phase(struct arena *arena, const struct json *document, const struct log *log, struct mxc_phase_request *ret,
		    struct err **err);

/* The policy of provision with the process of exec. NULL: no memory. */
const struct mxc_config *mxc_with_process(struct arena *arena, const struct mxc_config *policy, const struct mxc_config *exec);

#endif
