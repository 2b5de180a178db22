/*
 * What a scanning process sends is reported as far as it can be: one that was
 * taken over has no way to make the other read or write beyond its memory.
 */
#include "lib/choose_targets.h"
#include "lib/tap.h"
/* Its functions are static. */
#include "scan/shards.c"

static struct order order;
static const struct scan_result good = {
    .port = 80, .count = 1, .reason = SCAN_REFUSED};
static int reported;
static size_t banner_bytes;

static void
count_result(void *context, const struct scan_result *r)
{
	(void)context;
	reported++;
	banner_bytes += r->banner_size;
}

/* Reports a frame of one good result, this one, and a good one again. Returns
 * how many of them arrived. */
static int
report_between(const struct scan_result *r, size_t banner)
{
	const struct scan_options o = {.order = &order, .result = count_result};
	struct shards s = {.o = &o};
	struct shard shard = {.frame.kind = FRAME_RESULTS};
	struct sender sender = {.out = -1};

	append(&sender, &good, sizeof(good));
	append(&sender, r, sizeof(*r));
	sender.frame.size += (uint32_t)banner;
	append(&sender, &good, sizeof(good));
	shard.frame = sender.frame;
	reported = 0;
	banner_bytes = 0;
	handle_frame(&s, &shard);
	return reported;
}

static void
test_results(void)
{
	struct scan_result r = good;

	is_int(report_between(&r, 0), 3, "results are reported");
	r.banner_size = 10;
	is_int(report_between(&r, 10), 3, "one with a banner, too");
	is_int((long long)banner_bytes, 10, "  which is as long as it says");
	r.banner_size = SIZE_MAX;
	is_int(report_between(&r, 10), 1, "a banner beyond the frame ends it");
	r = good;
	r.host = 1;
	is_int(report_between(&r, 0), 1, "so does a host that is none");
	r = good;
	r.reason = (enum scan_reason)(SCAN_SKIPPED + 1);
	is_int(report_between(&r, 0), 1, "or a reason that is none");
	r.reason = (enum scan_reason) - 1;
	is_int(report_between(&r, 0), 1, "  or below all");
}

static void
test_size(void)
{
	const struct scan_options o = {.order = &order, .result = count_result};
	struct shards s = {.o = &o};
	struct shard shard = {.frame.kind = FRAME_DONE};
	size_t most = sizeof(shard.frame.bytes) / sizeof(good), i;

	for (i = 0; i < most; i++)
		memcpy(
		    shard.frame.bytes + i * sizeof(good), &good, sizeof(good));
	shard.frame.size = UINT32_MAX;
	reported = 0;
	handle_frame(&s, &shard);
	is_int(reported, (long long)most, "a frame ends where it ends");
	ok(shard.is_ended, "it was the last one");
}

static void
test_error(void)
{
	const struct scan_options o = {.order = &order, .result = count_result};
	struct shards s = {.o = &o};
	struct shard shard = {.frame.kind = FRAME_FAILED};
	struct err e = {.kind = ERR_LOCAL};

	memset(e.text, 'x', sizeof(e.text));
	memcpy(shard.frame.bytes, &e, sizeof(e));
	handle_frame(&s, &shard);
	is_int(s.error.kind, ERR_LOCAL, "an error is taken");
	is_int((long long)strnlen(s.error.text, sizeof(s.error.text)),
	    ERR_TEXT - 1, "its text is a string");
	e.kind = ERR_NAME;
	memcpy(shard.frame.bytes, &e, sizeof(e));
	handle_frame(&s, &shard);
	is_int(s.error.kind, ERR_LOCAL, "the first one stays");
}

int
main(void)
{
	struct targets targets = TARGETS_INIT;

	choose_targets(&targets, "127.0.0.1", "1-9");
	order_init(&order, &(struct order_options){&targets, 1, 0, 1, false});
	test_results();
	test_size();
	test_error();
	order_release(&order);
	targets_release(&targets);
	return done_testing();
}
