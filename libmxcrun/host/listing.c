/* listing.c - see listing.h. */
#include "host/listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"

static int strictness(const struct listed *listed)
{
	return listed->is_denied ? 0 : listed->is_readonly ? 1 : 2;
}

static int compare_listed(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	if (order == 0)
		order = strictness(x) - strictness(y);
	return order ? order : (int)x->is_unseen - (int)y->is_unseen;
}

static int compare_path(const void *path, const void *item)
{
	return strcmp(path, ((const struct listed *)item)->path);
}

int listing_make(struct arena *arena, const struct object_request *requests,
		 const struct host_objects *objects, struct listing *ret)
{
	size_t i, count = 0, kept = 0;

	ret->items = arena_array(arena, objects->count + objects->folder_count, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (i = 0; i < objects->count; i++) {
		const struct host_object *object = &objects->items[i];

		if (!object->error && requests[i].role != OBJECT_PLACE)
			ret->items[count++] = (struct listed){
				.path = object->canonical,
				.object = i,
				.is_denied = requests[i].access == F_OK,
				.is_readonly = requests[i].access == R_OK && requests[i].role == OBJECT_LISTED,
				.is_directory = S_ISDIR(object->mode),
				.is_unseen = requests[i].is_unseen,
				.has_no_links = requests[i].has_no_links,
			};
	}
	for (i = 0; i < objects->folder_count; i++)
		ret->items[count++] = (struct listed){
			.path = objects->folders[i].canonical,
			.object = SIZE_MAX,
			.is_readonly = true,
			.is_directory = objects->folders[i].is_directory,
		};
	qsort(ret->items, count, sizeof(*ret->items), compare_listed);
	for (i = 0; i < count; i++)
		if (!kept || strcmp(ret->items[kept - 1].path, ret->items[i].path) != 0)
			ret->items[kept++] = ret->items[i];
	ret->count = kept;
	return 0;
}

const struct listed *listing_at(const struct listing *listing, const char *path)
{
	if (!listing->count)
		return NULL;
	return bsearch(path, listing->items, listing->count, sizeof(*listing->items), compare_path);
}

const struct listed *listing_above(const struct listing *listing, const char *path)
{
	cleanup_free char *copy = strdup(path);
	const struct listed *found = NULL;
	char *slash = copy;

	while (copy && slash && !found) {
		found = listing_at(listing, *copy ? copy : "/");
		slash = strrchr(copy, '/');
		if (slash)
			*slash = '\0';
	}
	return found;
}

char *listing_join(const char *folder, const char *name)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	strbuf_printf(&path, "%s%s%s", folder[1] ? folder : "", *name == '/' || !*name ? "" : "/",
		      name);
	if (!path.len)
		strbuf_putc(&path, '/');
	return strbuf_take(&path);
}
