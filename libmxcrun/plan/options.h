/* options.h - the mount options of the OCI specification, as rows. The builder and the features
 * command read the same table. */
#ifndef MXCRUN_PLAN_OPTIONS_H
#define MXCRUN_PLAN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "config/fields.h"
#include "plan/plan.h"

enum mount_option_kind {
	OPTION_NOTHING,	    /* asks for what is so anyway */
	OPTION_ATTRIBUTE,   /* of the mount: set, clear */
	OPTION_RECURSIVE,   /* the same for the whole tree below it */
	OPTION_ATIME_UNDO,  /* takes an earlier atime mode back: set names which; whole tree: clear
			       is not 0 */
	OPTION_SUPERBLOCK,  /* of the file system: set, clear are SUPERBLOCK_ bits */
	OPTION_PROPAGATION, /* set is MS_* */
	OPTION_BIND,	    /* set is not 0: recursive */
	OPTION_REMOUNT,
	OPTION_COPY_UP,
	OPTION_COPY_SYMLINK,
	OPTION_VOLUME,	    /* a bind's: says what its engine has done to the source, and to us nothing */
	OPTION_IDMAP,
};

struct mount_option {
	const char *name;
	enum mount_option_kind kind;
	uint32_t set, clear;
};

/* Sorted by name; ended by a NULL name. */
extern const struct mount_option mount_options[];

/* What the options say about the kind of the mount. */
struct mount_option_marks {
	bool is_bind, is_remount;
	bool has_superblock;	 /* an option that only a new file system can take... */
	size_t superblock_index; /* ...and which */
	bool is_volume;		 /* copy or nocopy */
	const char *idmap;	 /* what stands behind "idmap=" or "ridmap="; NULL: nothing... */
	size_t idmap_index;	 /* ...and which option it is */
};

/* Sort the options into the members of *mount (attributes, propagation, options, copy_up,
 * copy_symlink, is_recursive) in arena. What is not in the table is the file system's own option.
 * pointer is the mount's, for errors. 0 or -errno. */
int mount_options_apply(struct arena *arena, const struct string_list *list,
			struct plan_mount *mount, struct mount_option_marks *ret,
			const char *pointer, struct err **err);

/* Words for a set of SYS_ATTR_ flags ("ro", "nosuid", ...) and for MS_ propagation; for the
 * printer. mount_attribute_word gives the name of the index-th flag that is in flags, NULL after
 * the last. */
const char *mount_attribute_word(uint64_t flags, unsigned int index);
const char *mount_propagation_word(unsigned long propagation);

/* "shared", "rslave", ... to MS_*; 0 when it is no such word. */
unsigned long mount_propagation_from_word(const char *word);

#endif
