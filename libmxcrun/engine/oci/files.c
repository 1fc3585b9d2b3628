/* files.c - what lies beside an emitted configuration. */
#include <string.h>

#include "base/path.h"
#include "engine/oci/emit.h"

#define FILES_MAX(plan) ((plan)->mount_count + 5)

int oci_files_add(struct arena *arena, struct oci_files *files, struct oci_file file, struct err **err)
{
	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(files->items[i].path, file.path))
			return 0;
	file.path = arena_strdup(arena, file.path);
	file.target = arena_strdup(arena, file.target);
	if (!file.path)
		return err_nomem(err);
	files->items[files->count++] = file;
	return 0;
}

int oci_files_begin(struct arena *arena, const struct plan *plan, struct oci_files *ret, struct err **err)
{
	const struct oci_file root = { .path = OCI_ROOT, .is_directory = true, .mode = 0755 };

	*ret = (struct oci_files){ .items = arena_array(arena, FILES_MAX(plan), sizeof(*ret->items)) };
	if (!ret->items)
		return err_nomem(err);
	return plan->root.kind == ROOT_VIEW ? oci_files_add(arena, ret, root, err) : 0;
}

int oci_files_add_cover(struct arena *arena, struct oci_files *files, const struct plan_mount *mount, const char **ret_path,
			struct err **err)
{
	const struct oci_file folder = { .path = "denied", .is_directory = true, .mode = 0755 };
	const struct oci_file cover = {
		.path = mount->is_directory ? OCI_COVER_DIR : OCI_COVER_FILE, .is_directory = mount->is_directory, .is_foreign = true,
	};
	int r = oci_files_add(arena, files, folder, err);

	*ret_path = cover.path;
	return r < 0 ? r : oci_files_add(arena, files, cover, err);
}

int oci_files_add_step(struct arena *arena, struct oci_files *files, const struct plan *plan, const struct plan_mount *mount,
		       const char *target, struct err **err)
{
	struct oci_file file = { .is_directory = mount->kind == MOUNT_DIRECTORY, .mode = 0755, .target = mount->source };
	char *path;

	for (const struct plan_mount *other = plan->mounts; other < mount; other++)
		if (other->kind != MOUNT_SYMLINK && other->kind != MOUNT_DIRECTORY &&
		    path_is_within(mount->destination, other->destination))
			return err_set(err, E_UNSUPPORTED, 0, mount->pointer,
				       "%s: %s can't be made, because it lies in the mount at %s", target, mount->destination,
				       other->destination);
	if (plan->root.kind != ROOT_VIEW)
		return err_set(err, E_UNSUPPORTED, 0, mount->pointer, "%s: %s can't be made in a root that isn't the folder's",
			       target, mount->destination);
	path = arena_printf(arena, OCI_ROOT "%s", mount->destination);
	if (!path)
		return err_nomem(err);
	file.path = path;
	return oci_files_add(arena, files, file, err);
}
