/* SPDX-License-Identifier: BSD-2-Clause */
#include "see/views.h"

void views_init(struct views *views, const struct views_machine *machine, void *ctx)
{
	*views = (struct views){.machine = machine, .ctx = ctx};
	views->last = &views->first;
	pthread_mutex_init(&views->lock, NULL);
}

void views_add(struct views *views, struct view *view)
{
	view->views = views;
	view->next = NULL;
	*views->last = view;
	views->last = &view->next;
}

void views_tell(struct views *views, struct event *event)
{
	pthread_mutex_lock(&views->lock);
	event->ns = views->machine->now(views->ctx);
	for (struct view *view = views->first; view; view = view->next)
		view->event(view, event);
	pthread_mutex_unlock(&views->lock);
}

void views_flush(struct views *views)
{
	for (struct view *view = views->first; view; view = view->next)
		if (view->flush)
			view->flush(view);
}

bool views_close(struct views *views)
{
	bool all = true;

	for (struct view *view = views->first, *next; view; view = next) {
		next = view->next;
		all &= view->close(view);
	}
	views->first = NULL;
	views->last = &views->first;
	return all;
}
