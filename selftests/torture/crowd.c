// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The crowd: workers that come and go, some of them killed, for as long as the
 * run is to last. Then all must end by themselves.
 */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "torture.h"

#define POLL_MS		20
#define PATIENCE	120	/* seconds for everybody to end, if nothing is slow */

/* @due: when to kill it, in ms; 0: it may end by itself. */
struct member {
	pid_t pid;
	bool killed;
	long due;
};

static struct member crowd[PROCESSES_MAX];
static struct thread dice;	/* only its stream of random numbers is used */
static pid_t offender, hog;
static unsigned int killed, ended, offended;

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void member_start(unsigned int i)
{
	uint64_t seed = random_next(&dice.random);
	int socket[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket))
		abort();
	fflush(NULL);
	crowd[i].pid = fork();
	if (!crowd[i].pid) {
		setpgid(0, 0);
		close(socket[0]);
		broker_close();
		if (shared->options.cgroup)
			cgroup_enter_workers();
		worker_main(i, seed, socket[1]);
	}
	if (crowd[i].pid < 0)
		abort();
	setpgid(crowd[i].pid, crowd[i].pid);
	close(socket[1]);
	broker_add(i, socket[0]);
	crowd[i].killed = false;
	crowd[i].due = random_below(&dice, 3) ?
		       now_ms() + 50 + random_below(&dice, 3000) : 0;
}

/* A worker is dead: so are its children, in a moment. */
static void member_bury(unsigned int i, int status)
{
	struct member *member = &crowd[i];

	if (WIFSIGNALED(status) && !member->killed)
		complain("worker %u died of signal %d", i, WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status))
		complain("worker %u exited with %d", i, WEXITSTATUS(status));
	kill(-member->pid, SIGKILL);
	while (waitpid(-member->pid, NULL, 0) > 0)
		;
	broker_forget(i);
	if (member->killed)
		killed++;
	else
		ended++;
	member->pid = 0;
}

static void member_look_after(unsigned int i, bool restart)
{
	struct member *member = &crowd[i];
	int status;

	if (member->pid && waitpid(member->pid, &status, WNOHANG) > 0)
		member_bury(i, status);
	if (!member->pid && restart)
		member_start(i);
	if (member->pid && restart && member->due && !member->killed &&
	    member->due < now_ms()) {
		member->killed = true;
		kill(-member->pid, SIGKILL);
	}
}

/* An offender ends by the kernel's hand, or because a write failed. */
static void offender_look_after(bool restart)
{
	int status;

	if (!shared->options.cgroup)
		return;
	if (offender && waitpid(offender, &status, WNOHANG) > 0) {
		if (WIFEXITED(status) && WEXITSTATUS(status))
			complain("an offender got all it wanted");
		offended += WIFSIGNALED(status);
		offender = 0;
	}
	if (!offender && restart)
		offender = cgroup_offender();
}

static bool crowd_look_after(bool restart)
{
	bool anybody = false;
	unsigned int i;

	for (i = 0; i < shared->options.processes; i++) {
		member_look_after(i, restart);
		anybody |= crowd[i].pid != 0;
	}
	offender_look_after(restart);
	return anybody || offender;
}

static void crowd_kill(void)
{
	unsigned int i;

	for (i = 0; i < shared->options.processes; i++)
		if (crowd[i].pid)
			kill(-crowd[i].pid, SIGKILL);
}

static void crowd_end(void)
{
	int patience = PATIENCE * bsdvm_slowdown();
	long until = now_ms() + patience * 1000L;

	shared->stop = true;
	while (crowd_look_after(false)) {
		broker_serve(POLL_MS);
		if (now_ms() > until) {
			complain("not everybody ended in %d s", patience);
			crowd_kill();
			return;
		}
	}
}

/* It may be killed for want of memory, which is then used up as well. */
static void hog_look_after(void)
{
	int status;

	if (!shared->options.pressure)
		return;
	if (hog > 0 && waitpid(hog, &status, WNOHANG) > 0) {
		atomic_fetch_add(&shared->pressed, WIFSIGNALED(status));
		hog = 0;
	}
	if (hog <= 0)
		hog = pressure_start();
}

static void hog_end(void)
{
	int status = 0;

	if (!shared->options.pressure)
		return;
	if (hog > 0)
		waitpid(hog, &status, 0);
	atomic_fetch_add(&shared->pressed, WIFSIGNALED(status));
	printf("# memory was used up %llu times\n",
	       (unsigned long long)shared->pressed);
	if (!shared->pressed)
		complain("memory was never used up");
}

/* Only offenders were killed for want of memory in the cgroup. */
static void cgroup_judge(void)
{
	long kills = cgroup_oom_kills();

	printf("# %u offenders killed, by the kernel's account %ld\n", offended,
	       kills);
	if (!offended)
		complain("no offender was killed");
	if (kills != offended)
		complain("%ld killed in the cgroup, %u offenders", kills,
			 offended);
}

void crowd_run(void)
{
	long until = now_ms() + shared->options.seconds * 1000L;

	dice.random = shared->options.seed;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (now_ms() < until && !shared->stop) {
		crowd_look_after(true);
		hog_look_after();
		broker_serve(POLL_MS);
	}
	crowd_end();
	hog_end();
	printf("# %u workers ended, %u killed, %llu versions finished for them\n",
	       ended, killed, (unsigned long long)shared->recovered);
	if (shared->options.cgroup)
		cgroup_judge();
}
