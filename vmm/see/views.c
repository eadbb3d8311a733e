/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/views.h"

void views_init(struct views *views, const struct views_machine *machine, void *ctx)
{
	pthread_mutexattr_t kind;

	*views = (struct views){.machine = machine, .ctx = ctx};
	views->last = &views->first;
	/* A view may flush all of them while it looks at an event. */
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&views->lock, &kind);
	pthread_mutexattr_destroy(&kind);
}

void views_add(struct views *views, struct view *view)
{
	view->views = views;
	view->next = NULL;
	*views->last = view;
	views->last = &view->next;
}

bool views_exist(const struct views *views)
{
	return views->first != NULL;
}

/* Lock held. Returns the first view that is open. */
static struct view *first_open(const struct views *views)
{
	return views->closed ? NULL : views->first;
}

void views_tell(struct views *views, struct event *event)
{
	pthread_mutex_lock(&views->lock);
	event->ns = views->machine->now(views->ctx);
	for (struct view *view = first_open(views); view; view = view->next)
		view->event(view, event);
	pthread_mutex_unlock(&views->lock);
}

void views_flush(struct views *views)
{
	if (!views_exist(views))
		return;
	pthread_mutex_lock(&views->lock);
	for (struct view *view = first_open(views); view; view = view->next)
		if (view->flush)
			view->flush(view);
	pthread_mutex_unlock(&views->lock);
}

bool views_close(struct views *views)
{
	bool all = true;

	pthread_mutex_lock(&views->lock);
	for (struct view *view = first_open(views), *next; view; view = next) {
		next = view->next;
		all &= view->close(view);
	}
	views->closed = true;
	pthread_mutex_unlock(&views->lock);
	return all;
}
